/**
 * `files`: a folder of the operator's as a tree. Sub-folders are containers, CSV files tables, .npy files arrays. Names
 * that requests ask for are looked up among those that were found, so that no request's text ever becomes a path.
 */
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure, OperatorError } from "../../errors.ts";
import { mapConcurrently } from "../../lib/semaphore.ts";
import { WatchedFile } from "../../lib/watched-file.ts";
import type { FilesArgs } from "../../vocabulary/trees.ts";
import { ConfigError, problemLines } from "../../yaml/problems.ts";
import type { ScanWish } from "../data-thread/messages.ts";
import { csvTable } from "../files/csv.ts";
import { CsvProblem } from "../files/csv-parser.ts";
import { type CsvScan, scanCsv } from "../files/csv-scan.ts";
import { Inside, type Mark } from "../files/inside.ts";
import { openNpy } from "../files/npy.ts";
import { reading } from "../files/reading.ts";
import { Recent } from "../files/recent.ts";
import type { FilePath } from "../files/steps.ts";
import { stepsFrom } from "../files/steps.ts";
import type { ArrayData, ContainerNode, Entry, TableData, Tree, TreeNode } from "../model/contract.ts";
import { TagIndex } from "../model/tag-index.ts";
import type { TreeContext } from "./context.ts";
import { type FolderListing, Folders } from "./folders.ts";
import type { Item } from "./listing.ts";
import { type Metadata, NO_METADATA, type ReadMetadata, readMetadata } from "./sidecar.ts";
import { Skipped } from "./skipped.ts";
import { readTagRules, type TagRules } from "./tag-rules.ts";

export async function filesTree(args: FilesArgs, context: TreeContext): Promise<Tree> {
  const directory = resolve(context.directory, args.directory);
  const root = await realpath(directory).catch(() => directory);
  if (!(await isFolder(root)))
    throw new OperatorError(
      `there is no folder ${directory} to serve, or it cannot be read. A relative path starts at the folder of the configuration.`,
    );
  const tags =
    args.access_tags_file == null
      ? null
      : new FileTags(resolve(context.directory, args.access_tags_file), context);
  const inside = new Inside(root, await stepsFrom(root));
  const skipped = new Skipped(root, context.warn);
  const files = new Files(
    inside,
    new Folders(inside, skipped, context.clock),
    skipped,
    () => tags?.rules ?? null,
    context.scan?.bind(context) ?? null,
  );
  tags?.watch();
  return { root: files.root(), tags: () => tags?.rules.all ?? [], close: async () => tags?.close() };
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The file of tags; as long as a new version is broken, the old one stays in force. */
class FileTags {
  readonly #path: string;
  readonly #warn: (message: string) => void;
  readonly #watched: WatchedFile;
  rules: TagRules;

  constructor(path: string, { warn }: TreeContext) {
    this.#path = path;
    this.#warn = warn;
    this.#watched = new WatchedFile(path, () => this.#reload());
    const { rules, problems } = readTagRules(path);
    if (rules === undefined) throw new ConfigError(problems);
    this.rules = rules;
  }

  watch(): void {
    this.#watched.start();
  }

  close(): void {
    this.#watched.stop();
  }

  #reload(): void {
    const { rules, problems } = readTagRules(this.#path);
    if (rules === undefined) {
      this.#warn(
        `The changed tags of files are not in force, those before them stay so:\n${problemLines(problems).join("\n")}`,
      );
      return;
    }
    this.rules = rules;
    this.#warn(`The changed tags of files are in force: ${this.#path}.`);
  }
}

/** How often a file is scanned that changes meanwhile. */
const TRIES = 3;

/** Whose metadata are read at the same time for one request. */
const NODES_AT_ONCE = 16;

/** Columns and partitions of all tables. */
const MOST_SCANNED = 1_000_000;
/** A table that is larger is scanned elsewhere. */
const SCANNED_HERE = 64 * 1024;
/** Bytes of all metadata files that are remembered, of which each counts as more than nothing. */
const MOST_METADATA = 16 * 1024 * 1024;
const LEAST_METADATA = 200;

/** What is told of a node. */
interface Told {
  readonly metadata: Metadata;
  readonly metadataBytes: number;
}

const UNTOLD: Told = { metadata: NO_METADATA, metadataBytes: 0 };

function toldBy(read: Exclude<ReadMetadata, { kind: "absent" }>): Told {
  return read.kind === "read" ? { metadata: read.metadata, metadataBytes: read.bytes } : UNTOLD;
}

type Scan = (wish: ScanWish) => Promise<CsvScan>;

class Files {
  readonly #inside: Inside;
  readonly #folders: Folders;
  readonly #skipped: Skipped;
  readonly #elsewhere: Scan | null;
  readonly #rules: () => TagRules | null;
  readonly #indexes = new WeakMap<
    FolderListing,
    { readonly rules: TagRules | null; readonly index: TagIndex }
  >();
  readonly #scans = new Recent<{ readonly mark: Mark; readonly scan: Promise<CsvScan> }>(MOST_SCANNED);
  readonly #metadata = new Recent<Exclude<ReadMetadata, { kind: "absent" }>>(MOST_METADATA);

  constructor(
    inside: Inside,
    folders: Folders,
    skipped: Skipped,
    rules: () => TagRules | null,
    elsewhere: Scan | null,
  ) {
    this.#elsewhere = elsewhere;
    this.#inside = inside;
    this.#folders = folders;
    this.#skipped = skipped;
    this.#rules = rules;
  }

  root(): ContainerNode {
    return this.#container([], [], UNTOLD);
  }

  /** `keys` is the path that clients see, `place` the one in the file system. */
  #container(place: FilePath, keys: readonly string[], told: Told): ContainerNode {
    const tagsOf = (path: readonly string[]) => this.#tagsOf(path);
    const list = () => this.#folders.list(place);
    const nodes = (items: readonly Item[]) =>
      mapConcurrently(
        items,
        NODES_AT_ONCE,
        async (item): Promise<Entry> => [item.key, await this.#node(place, keys, item)],
      );
    return {
      family: "container",
      ...told,
      specs: [],
      get accessTags() {
        return tagsOf(keys);
      },
      inlined: false,
      count: async () => (await list()).items.length,
      entries: async ({ offset, limit }) => nodes((await list()).items.slice(offset, offset + limit)),
      child: async (key) => {
        const item = (await list()).byKey.get(key);
        return item && (await this.#node(place, keys, item));
      },
      bearing: async (tags) => {
        const listing = await list();
        const index = this.#indexOf(listing, keys);
        return index.listing(tags, (positions) =>
          nodes(positions.flatMap((position) => listing.items.slice(position, position + 1))),
        );
      },
    };
  }

  async #node(place: FilePath, keys: readonly string[], item: Item): Promise<TreeNode> {
    const here = [...place, item.name];
    const path = [...keys, item.key];
    const told = item.sidecar === null ? UNTOLD : await this.#metadataOf([...place, item.sidecar]);
    if (item.kind === "folder") return this.#container(here, path, told);
    const described = { ...told, specs: [], accessTags: this.#tagsOf(path) };
    if (item.kind === "csv") return { ...described, family: "table", open: () => this.#openCsv(here) };
    return { ...described, family: "array", open: () => this.#openNpy(here) };
  }

  #tagsOf(path: readonly string[]): readonly string[] | null {
    return this.#rules()?.tagsOf(path.join("/")) ?? null;
  }

  #indexOf(listing: FolderListing, keys: readonly string[]): TagIndex {
    const rules = this.#rules();
    const known = this.#indexes.get(listing);
    if (known !== undefined && known.rules === rules) return known.index;
    const index = new TagIndex(listing.items.map(({ key }) => this.#tagsOf([...keys, key])));
    this.#indexes.set(listing, { rules, index });
    return index;
  }

  async #metadataOf(place: FilePath): Promise<Told> {
    const key = place.join("/");
    const known = this.#metadata.get(key);
    if (known !== undefined && known.mark === (await this.#inside.mark(place))) {
      return toldBy(known);
    }
    const found = await readMetadata(this.#inside, place);
    if (found.kind === "absent") return UNTOLD;
    const told = toldBy(found);
    this.#metadata.set(key, found, told.metadataBytes + LEAST_METADATA);
    if (found.kind === "broken") this.#skipped.tell(place, found.why);
    return told;
  }

  async #openNpy(place: FilePath): Promise<ArrayData | undefined> {
    const file = await this.#inside.file(place);
    if (file === undefined) return undefined;
    try {
      const data = await openNpy(this.#inside, place, file);
      if (typeof data !== "string") return data;
      this.#folders.markBroken(place, file.mark, data);
      return undefined;
    } finally {
      await file.handle.close();
    }
  }

  async #openCsv(place: FilePath): Promise<TableData | undefined> {
    for (let tries = 1; ; tries += 1) {
      const mark = await this.#inside.mark(place);
      if (mark === undefined) return undefined;
      try {
        return csvTable(this.#inside, place, mark, await this.#scan(place, mark));
      } catch (error) {
        if (error instanceof CsvProblem) {
          this.#folders.markBroken(place, mark, error.message);
          return undefined;
        }
        const changed = error instanceof Failure && error.code === "changed";
        if (!changed || tries === TRIES) throw error;
      }
    }
  }

  /** Once for each version of the file, however many ask at the same time. */
  #scan(place: FilePath, mark: Mark): Promise<CsvScan> {
    const key = place.join("/");
    const known = this.#scans.get(key);
    if (known?.mark === mark) return known.scan;
    const scan = this.#scanned(place, mark);
    const entry = { mark, scan };
    this.#scans.set(key, entry);
    scan.then(
      ({ columns, partitions }) => this.#scans.set(key, entry, columns.length + partitions.length),
      // A version that changed while it was read is no version.
      () => this.#scans.delete(key),
    );
    return scan;
  }

  async #scanned(place: FilePath, mark: Mark): Promise<CsvScan> {
    const elsewhere = this.#elsewhere;
    if (elsewhere === null) return reading(this.#inside, place, mark, (file) => scanCsv(file));
    const scan = await reading(this.#inside, place, mark, async (file) =>
      file.size <= SCANNED_HERE ? scanCsv(file) : null,
    );
    return scan ?? elsewhere({ root: this.#inside.root, place, mark });
  }
}
