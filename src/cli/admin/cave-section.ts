/**
 * Writes the section `cave` of a configuration from a middle_auth server's export, as YAML with comments, and notes for
 * everything that has no counterpart here. `config/cave.ts` reads such a section.
 */
import { Document, type Node, type Scalar, YAMLMap, type YAMLSeq } from "yaml";
import { isService } from "../../domain/cave/import.ts";
import type {
  CaveExport,
  ExportedGroup,
  ExportedMember,
  ExportedTerms,
  ExportedUser,
} from "../../domain/model/cave-import.ts";
import { isLoopbackName } from "../../lib/address.ts";
import { printable } from "../../lib/printable.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { namesVariable } from "../../yaml/interpolate.ts";

/** middle_auth's number of the permission that a read-only account never has. */
const EDIT = 2;

export interface SectionOptions {
  /** The file's name, for the opening comment. */
  readonly source: string;
  readonly provider: string;
  readonly serverAddress: string;
  readonly services: ReadonlyMap<number, Uuid>;
  /** The name of the file for terms whose text cannot be part of the section. */
  readonly termsFile: (terms: ExportedTerms) => string;
}

export interface Section {
  readonly text: string;
  /** Further files, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** For the operator; the text has them, too. */
  readonly notes: readonly string[];
}

/** Values that the configuration would take for variables. */
export function unwritable({ users, permissions, tables, apps }: CaveExport): readonly string[] {
  const found = <Element>(list: string, elements: readonly Element[], key: keyof Element & string) =>
    elements.flatMap((element, index) => {
      const value = element[key];
      return typeof value === "string" && namesVariable(value) ? [`${list}[${index}].${key}`] : [];
    });
  return [
    ...found("users", users, "email"),
    ...found("permissions", permissions, "permission"),
    ...found("tables", tables, "table"),
    ...found("apps", apps, "url"),
  ];
}

export function caveSection(file: CaveExport, options: SectionOptions): Section {
  return new SectionWriter(file, options).write();
}

type Fields = Readonly<Record<string, unknown>>;

class SectionWriter {
  readonly #file: CaveExport;
  readonly #options: SectionOptions;
  readonly #users: ReadonlyMap<number, ExportedUser>;
  readonly #datasets: ReadonlyMap<number, string>;
  readonly #terms = new Map<number, string>();
  readonly #doc = new Document();
  readonly #files = new Map<string, string>();
  readonly #notes: string[] = [];

  constructor(file: CaveExport, options: SectionOptions) {
    this.#file = file;
    this.#options = options;
    this.#users = new Map(file.users.map((user) => [user.id, user]));
    this.#datasets = new Map(file.datasets.map(({ id, name }) => [id, name]));
    // Their names need not differ in middle_auth.
    const names = Map.groupBy(file.tos, ({ name }) => name);
    for (const { id, name } of file.tos) {
      this.#terms.set(id, (names.get(name)?.length ?? 0) > 1 ? `${name} (${id})` : name);
    }
  }

  write(): Section {
    const { source, serverAddress } = this.#options;
    const { users } = this.#file;
    const cave = this.#mapping([
      ["server_address", serverAddress],
      [
        "admins",
        this.#people(
          users.filter(({ admin }) => admin),
          "a superadmin",
        ),
      ],
      ["origins", this.#origins()],
      ["tos", this.#tos()],
      ["datasets", this.#allDatasets()],
      ["groups", this.#groups()],
    ]);
    this.#comment(
      cave,
      "origins",
      " Services and viewers that may be handed a token, beside server_address. Add each that people log in to.",
    );
    this.#comment(
      cave,
      "groups",
      " Clients keep the ids of people, groups, datasets and terms: never change them.",
    );
    this.#doc.contents = this.#mapping([["cave", cave]]) as never;
    this.#doc.commentBefore = [
      ` Groups, datasets, permissions, tables and terms of service from middle_auth,`,
      ` written by 'tiled admin import-cave' from ${printable(source)}. From now on this file decides.`,
      ...this.#notes.map((note) => ` Note: ${note}`),
    ].join("\n");
    return {
      text: this.#doc.toString({ lineWidth: 0, flowCollectionPadding: false }),
      files: this.#files,
      notes: this.#notes,
    };
  }

  /** Without empty lists and mappings. */
  #mapping(entries: Iterable<readonly [name: string, value: unknown]>): YAMLMap {
    const mapping = new YAMLMap();
    for (const [name, value] of entries) {
      const node = this.#doc.createNode(value) as Node & { readonly items?: readonly unknown[] };
      if (value === null || node.items?.length === 0) continue;
      mapping.add(this.#doc.createPair(name, node));
    }
    return mapping;
  }

  #comment(mapping: YAMLMap, key: string, text: string): void {
    const pair = mapping.items.find(({ key: found }) => String(found) === key);
    if (pair !== undefined) (pair.key as Scalar).commentBefore = text;
  }

  #inline(fields: Fields | readonly unknown[], comment?: string): Node {
    const node = this.#doc.createNode(fields, { flow: true }) as YAMLMap | YAMLSeq;
    if (comment !== undefined) node.comment = ` ${printable(comment)}`;
    return node;
  }

  #identity({ id, name, email }: ExportedUser): Node {
    return this.#inline({ provider: this.#options.provider, id: email }, `${id} ${name}`);
  }

  /** Without services, which cannot be admins; a note says so. `what`: the role that they had. */
  #people(users: readonly ExportedUser[], what: string): readonly Node[] {
    for (const user of users) {
      if (isService(user))
        this.#note(`The service ${named(user)} was ${what}. Only people can be: left out.`);
    }
    return users.filter((user) => !isService(user)).map((user) => this.#identity(user));
  }

  #member(user: ExportedUser): Node {
    if (!isService(user)) return this.#identity(user);
    return this.#inline({ service: this.#options.services.get(user.id) }, `${user.id} ${user.name}`);
  }

  #origins(): readonly string[] {
    const origins = new Set<string>();
    for (const { url } of this.#file.apps) {
      const origin = originOf(url);
      if (origin !== undefined) origins.add(origin);
      else this.#note(`The app ${JSON.stringify(url)} is not an https address: left out.`);
    }
    return [...origins];
  }

  #tos(): YAMLMap {
    return this.#mapping(
      this.#file.tos.map((terms) => {
        const { id, text } = terms;
        const name = this.#terms.get(id) ?? "";
        if (!namesVariable(text))
          return [
            name,
            this.#mapping([
              ["id", id],
              ["text", text],
            ]),
          ];
        const file = this.#options.termsFile(terms);
        this.#files.set(file, text);
        return [
          name,
          this.#mapping([
            ["id", id],
            ["file", file],
          ]),
        ];
      }),
    );
  }

  #allDatasets(): YAMLMap {
    const admins = Map.groupBy(this.#file.dataset_admins, ({ dataset_id }) => dataset_id);
    const tables = Map.groupBy(this.#file.tables, ({ dataset_id }) => dataset_id);
    return this.#mapping(
      this.#file.datasets.map(({ id, name, tos_id }) => {
        const byService = Map.groupBy(tables.get(id) ?? [], ({ service }) => service);
        const names = [...byService].map(
          ([service, rows]) => [service, this.#inline(rows.map(({ table }) => table))] as const,
        );
        const people = this.#usersOf(admins.get(id) ?? []);
        return [
          name,
          this.#mapping([
            ["id", id],
            ["tos", tos_id === null ? null : (this.#terms.get(tos_id) ?? null)],
            ["admins", this.#people(people, `an admin of the dataset ${JSON.stringify(name)}`)],
            ["tables", this.#mapping(names)],
          ]),
        ];
      }),
    );
  }

  #groups(): YAMLMap {
    const members = Map.groupBy(this.#file.members, ({ group_id }) => group_id);
    let lastId = Math.max(0, ...this.#file.groups.map(({ id }) => id));
    const entries = this.#file.groups.flatMap((group): [string, YAMLMap][] => {
      const rows = members.get(group.id) ?? [];
      const edits = this.#file.permissions.some(
        ({ group_id, permission_id }) => group_id === group.id && permission_id === EDIT,
      );
      const readers = edits ? rows.filter(({ user_id }) => this.#users.get(user_id)?.read_only) : [];
      const others = rows.filter((row) => !readers.includes(row));
      const made: [string, YAMLMap][] = [[group.name, this.#group(group, others)]];
      if (readers.length > 0) {
        lastId += 1;
        made.push(this.#readOnlyGroup(group, lastId, readers));
      }
      return made;
    });
    return this.#mapping(entries);
  }

  #group({ id, name }: ExportedGroup, members: readonly ExportedMember[], without?: number): YAMLMap {
    const rows = this.#file.permissions.filter(
      ({ group_id, permission_id }) => group_id === id && permission_id !== without,
    );
    const admins = this.#usersOf(members.filter(({ admin }) => admin));
    const others = this.#usersOf(members).filter((user) => isService(user) || !admins.includes(user));
    const permissions = [...Map.groupBy(rows, ({ dataset_id }) => dataset_id)].map(
      ([dataset, found]) =>
        [this.#datasets.get(dataset) ?? "", this.#inline(found.map(({ permission }) => permission))] as const,
    );
    const mapping = this.#mapping([
      ["id", id],
      ["members", others.map((user) => this.#member(user))],
      ["admins", this.#people(admins, `an admin of the group ${JSON.stringify(name)}`)],
      ["permissions", this.#mapping(permissions)],
    ]);
    if (name === "default") {
      mapping.commentBefore =
        " middle_auth put each new person into this group. 'everyone: true' makes every person a member, also new ones and read-only accounts.";
    }
    return mapping;
  }

  /** Read-only accounts keep every other permission of the group. */
  #readOnlyGroup(group: ExportedGroup, id: number, readers: readonly ExportedMember[]): [string, YAMLMap] {
    const name = `${group.name} (read-only)`;
    const who = this.#usersOf(readers).map(named).join(", ");
    this.#note(
      `${who} may not edit, so a group of their own, ${JSON.stringify(name)}, replaces ${JSON.stringify(group.name)} for them.`,
    );
    const copy = this.#group(group, readers, EDIT);
    copy.set("id", id);
    return [name, copy];
  }

  #usersOf(rows: readonly { readonly user_id: number }[]): readonly ExportedUser[] {
    return rows.flatMap(({ user_id }) => this.#users.get(user_id) ?? []);
  }

  #note(text: string): void {
    this.#notes.push(printable(text));
  }
}

function named({ id, name }: ExportedUser): string {
  return `${id} ${JSON.stringify(name)}`;
}

/** Of an address that a browser may send a token to: https, or http on this machine. */
function originOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  const { protocol, hostname, origin } = parsed;
  return protocol === "https:" || (protocol === "http:" && isLoopbackName(hostname)) ? origin : undefined;
}
