/**
 * The tree `files`: a folder of the operator's. Sub-folders are containers, CSV files tables, .npy files arrays. A name from a
 * request is only looked up among the names found in the folder, so text from a request never becomes a path.
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

/**
 * Opens a folder as a tree.
 *
 * @throws {OperatorError} The folder cannot be read, or the file of access tags is invalid.
 */
export async function filesTree(args: FilesArgs, context: TreeContext): Promise<Tree> {
  const directory = resolve(context.directory, args.directory);
  const root = await realpath(directory).catch(() => directory);
  if (!(await isFolder(root)))
    throw new OperatorError(
      `the folder ${directory} does not exist or cannot be read. A relative path starts at the folder of the configuration.`,
    );
  const tags =
    args.access_tags_file == null
      ? null
      : new FileTags(resolve(context.directory, args.access_tags_file), context);
  const inside = new Inside(root, await stepsFrom(root));
  const skipped = new Skipped(root, context.warn);
  const files = new Files({
    inside,
    folders: new Folders(inside, skipped, context.clock),
    skipped,
    rules: () => tags?.rules ?? null,
    elsewhere: context.scan?.bind(context) ?? null,
  });
  tags?.watch();
  return { root: files.root(), tags: () => tags?.rules.all ?? [], close: async () => tags?.close() };
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The file of access tags; while a new version is broken, the previous one stays in force. */
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
        `The changed access tags are invalid; the previous ones stay in force:\n${problemLines(problems).join("\n")}`,
      );
      return;
    }
    this.rules = rules;
    this.#warn(`The changed access tags are in force: ${this.#path}.`);
  }
}

/** Attempts to scan a file that keeps changing. */
const TRIES = 3;

/** Metadata files that one request reads at the same time. */
const NODES_AT_ONCE = 16;

/** Columns and partitions of all cached scans. */
const MOST_SCANNED = 1_000_000;
/** Larger tables are scanned on the data thread. */
const SCANNED_HERE = 64 * 1024;
/** Bytes of all cached metadata; each file counts for at least `LEAST_METADATA`. */
const MOST_METADATA = 16 * 1024 * 1024;
const LEAST_METADATA = 200;

/** A node's metadata and their size in bytes. */
interface Details {
  readonly metadata: Metadata;
  readonly metadataBytes: number;
}

const NO_DETAILS: Details = { metadata: NO_METADATA, metadataBytes: 0 };

function detailsOf(read: Exclude<ReadMetadata, { kind: "absent" }>): Details {
  return read.kind === "read" ? { metadata: read.metadata, metadataBytes: read.bytes } : NO_DETAILS;
}

type Scan = (wish: ScanWish) => Promise<CsvScan>;

interface FilesDeps {
  readonly inside: Inside;
  readonly folders: Folders;
  readonly skipped: Skipped;
  readonly rules: () => TagRules | null;
  /** Scans large tables on another thread; null: there is none. */
  readonly elsewhere: Scan | null;
}

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

  constructor({ inside, folders, skipped, rules, elsewhere }: FilesDeps) {
    this.#elsewhere = elsewhere;
    this.#inside = inside;
    this.#folders = folders;
    this.#skipped = skipped;
    this.#rules = rules;
  }

  root(): ContainerNode {
    return this.#container([], [], NO_DETAILS);
  }

  /** `keys` is the path that clients see, `path` the one in the file system. */
  #container(path: FilePath, keys: readonly string[], details: Details): ContainerNode {
    const tagsOf = () => this.#tagsOf(keys);
    const list = () => this.#folders.list(path);
    const nodes = (items: readonly Item[]) =>
      mapConcurrently(
        items,
        NODES_AT_ONCE,
        async (item): Promise<Entry> => [item.key, await this.#node(path, keys, item)],
      );
    return {
      family: "container",
      ...details,
      specs: [],
      get accessTags() {
        return tagsOf();
      },
      inlined: false,
      count: async () => (await list()).items.length,
      entries: async ({ offset, limit }) => nodes((await list()).items.slice(offset, offset + limit)),
      child: async (key) => {
        const item = (await list()).byKey.get(key);
        return item && (await this.#node(path, keys, item));
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

  async #node(path: FilePath, keys: readonly string[], item: Item): Promise<TreeNode> {
    const here = [...path, item.name];
    const childKeys = [...keys, item.key];
    const details = item.sidecar === null ? NO_DETAILS : await this.#metadataOf([...path, item.sidecar]);
    if (item.kind === "folder") return this.#container(here, childKeys, details);
    const described = { ...details, specs: [], accessTags: this.#tagsOf(childKeys) };
    if (item.kind === "csv") return { ...described, family: "table", open: () => this.#openCsv(here) };
    return { ...described, family: "array", open: () => this.#openNpy(here) };
  }

  #tagsOf(keys: readonly string[]): readonly string[] | null {
    return this.#rules()?.tagsOf(keys.join("/")) ?? null;
  }

  #indexOf(listing: FolderListing, keys: readonly string[]): TagIndex {
    const rules = this.#rules();
    const known = this.#indexes.get(listing);
    if (known !== undefined && known.rules === rules) return known.index;
    const index = new TagIndex(listing.items.map(({ key }) => this.#tagsOf([...keys, key])));
    this.#indexes.set(listing, { rules, index });
    return index;
  }

  async #metadataOf(path: FilePath): Promise<Details> {
    const key = path.join("/");
    const known = this.#metadata.get(key);
    if (known !== undefined && known.mark === (await this.#inside.mark(path))) {
      return detailsOf(known);
    }
    const found = await readMetadata(this.#inside, path);
    if (found.kind === "absent") return NO_DETAILS;
    const details = detailsOf(found);
    this.#metadata.set(key, found, details.metadataBytes + LEAST_METADATA);
    if (found.kind === "broken") this.#skipped.tell(path, found.why);
    return details;
  }

  async #openNpy(path: FilePath): Promise<ArrayData | undefined> {
    const file = await this.#inside.file(path);
    if (file === undefined) return undefined;
    try {
      const data = await openNpy(this.#inside, path, file);
      if (typeof data !== "string") return data;
      this.#folders.markBroken(path, file.mark, data);
      return undefined;
    } finally {
      await file.handle.close();
    }
  }

  async #openCsv(path: FilePath): Promise<TableData | undefined> {
    for (let tries = 1; ; tries += 1) {
      const mark = await this.#inside.mark(path);
      if (mark === undefined) return undefined;
      try {
        return csvTable({ inside: this.#inside, path, mark }, await this.#scan(path, mark));
      } catch (error) {
        if (error instanceof CsvProblem) {
          this.#folders.markBroken(path, mark, error.message);
          return undefined;
        }
        const changed = error instanceof Failure && error.code === "changed";
        if (!changed || tries === TRIES) throw error;
      }
    }
  }

  /** One scan for each version of the file, shared by concurrent requests. */
  #scan(path: FilePath, mark: Mark): Promise<CsvScan> {
    const key = path.join("/");
    const known = this.#scans.get(key);
    if (known?.mark === mark) return known.scan;
    const scan = this.#scanned(path, mark);
    const entry = { mark, scan };
    this.#scans.set(key, entry);
    scan.then(
      ({ columns, partitions }) => this.#scans.set(key, entry, columns.length + partitions.length),
      // The file changed during the scan.
      () => this.#scans.delete(key),
    );
    return scan;
  }

  async #scanned(path: FilePath, mark: Mark): Promise<CsvScan> {
    const elsewhere = this.#elsewhere;
    const version = { inside: this.#inside, path, mark };
    if (elsewhere === null) return reading(version, (file) => scanCsv(file));
    const scan = await reading(version, async (file) => (file.size <= SCANNED_HERE ? scanCsv(file) : null));
    return scan ?? elsewhere({ root: this.#inside.root, path, mark });
  }
}
