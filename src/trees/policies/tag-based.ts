/**
 * `TagBasedAccessPolicy`: nodes have tags, and a file defines what each tag grants to which users and groups. The file is
 * reread when it changes; while a new version is broken, the previous one stays in force.
 */
import { resolve } from "node:path";
import { type Static, Type } from "typebox";
import { ANONYMOUS_SCOPES, SCOPES } from "../../domain/model/scopes.ts";
import { WatchedFile } from "../../lib/watched-file.ts";
import { ConfigError, problemLines } from "../../yaml/problems.ts";
import type { AccessPolicy, PolicyCaller, PolicyContext, PolicyNode } from "./contract.ts";
import { type DefinitionRules, type Definitions, type Grants, readDefinitions } from "./definitions.ts";

const Args = Type.Object(
  {
    provider: Type.String({
      minLength: 1,
      description: "The provider whose identities name the users; services are named by their UUID",
    }),
    tag_definitions: Type.String({
      minLength: 1,
      description: "The file of tag definitions, relative to the configuration's folder",
    }),
    scopes: Type.Optional(
      Type.Unsafe<readonly string[] | null>({
        type: ["array", "null"],
        items: { type: "string", enum: [...SCOPES] },
        description: "The policy grants at most these scopes. Default: all",
      }),
    ),
    groups: Type.Optional(
      Type.Unsafe<Readonly<Record<string, readonly string[]>> | null>({
        type: ["object", "null"],
        additionalProperties: { type: "array", items: { type: "string" } },
        description: "The members of each group",
      }),
    ),
    groups_claim: Type.Optional(
      Type.Unsafe<string | null>({
        type: ["string", "null"],
        minLength: 1,
        description: "The claim of the provider's id_token that lists a person's groups",
      }),
    ),
    access_tags_parser: Type.Optional(
      Type.String({
        enum: ["tiled.access_control.access_tags:AccessTagsParser"],
        description: "Tiled's own key; the tags are read from tag_definitions here",
      }),
    ),
  },
  { additionalProperties: false },
);

type Args = Static<typeof Args>;

/** The scope that grants access to everything. */
const ADMIN = "admin:apikeys";

const NO_GRANTS: Grants = new Map();

/** Cached results for a caller under these definitions. */
interface Remembered {
  readonly definitions: Definitions;
  readonly grants: Grants;
  readonly tags: Map<string, ReadonlySet<string>>;
}

export class TagBasedAccessPolicy implements AccessPolicy {
  static readonly args = Args;

  readonly kind = "access_policy";
  readonly stateFrom: string | null;
  readonly claims: readonly string[];
  readonly #provider: string;
  readonly #claim: string | null;
  readonly #scopes: ReadonlySet<string>;
  readonly #readable: readonly string[];
  readonly #path: string;
  readonly #rules: DefinitionRules;
  readonly #warn: (message: string) => void;
  readonly #watched: WatchedFile;
  readonly #callers = new WeakMap<PolicyCaller, Remembered>();
  #definitions: Definitions;

  constructor(args: Args, { directory, warn }: PolicyContext) {
    this.#provider = args.provider;
    this.#claim = args.groups_claim ?? null;
    this.stateFrom = this.#claim === null ? null : args.provider;
    this.claims = this.#claim === null ? [] : [this.#claim];
    this.#scopes = new Set(args.scopes ?? SCOPES);
    this.#readable = [...ANONYMOUS_SCOPES].filter((scope) => this.#scopes.has(scope));
    this.#path = resolve(directory, args.tag_definitions);
    this.#rules = {
      scopes: this.#scopes,
      groups: new Map(Object.entries(args.groups ?? {})),
      groupsFromLogins: this.#claim !== null,
    };
    this.#warn = warn;
    this.#watched = new WatchedFile(this.#path, () => this.reload());
    const { definitions, problems, warnings } = readDefinitions(this.#path, this.#rules);
    if (definitions === undefined) throw new ConfigError(problems);
    for (const warning of warnings) warn(warning);
    this.#definitions = definitions;
  }

  async start(): Promise<void> {
    this.#watched.start();
  }

  async stop(): Promise<void> {
    this.#watched.stop();
  }

  /** Reads the file again; called when it changes. */
  reload(): void {
    const { definitions, problems, warnings } = readDefinitions(this.#path, this.#rules);
    if (definitions === undefined) {
      this.#warn(
        `The changed tag definitions are invalid; the previous ones stay in force:\n${problemLines(problems).join("\n")}`,
      );
      return;
    }
    this.#definitions = definitions;
    for (const warning of ["The changed tag definitions are in force.", ...warnings]) this.#warn(warning);
  }

  scopesOn({ tags }: PolicyNode, caller: PolicyCaller): Iterable<string> {
    if (tags === null || seesAll(caller)) return this.#scopes;
    const { definitions, grants } = this.#remembered(caller);
    const granted = new Set<string>();
    for (const tag of tags) {
      if (this.#isOwn(tag, caller)) for (const scope of caller.scopes) granted.add(scope);
      if (definitions.publicTags.has(tag)) for (const scope of this.#readable) granted.add(scope);
      for (const scope of grants.get(tag) ?? []) granted.add(scope);
    }
    return [...granted].filter((scope) => this.#scopes.has(scope));
  }

  tagsWith(scope: string, caller: PolicyCaller): ReadonlySet<string> | "all" {
    const { definitions, grants, tags } = this.#remembered(caller);
    if (!this.#scopes.has(scope)) return NO_TAGS;
    if (seesAll(caller)) return "all";
    const known = tags.get(scope);
    if (known !== undefined) return known;
    const found = new Set(this.#readable.includes(scope) ? definitions.publicTags : []);
    for (const [tag, scopes] of grants) if (scopes.has(scope)) found.add(tag);
    if (caller.scopes.has(scope)) for (const tag of this.#ownTags(caller)) found.add(tag);
    tags.set(scope, found);
    return found;
  }

  undefinedTags(tags: Iterable<string>): readonly string[] {
    return [...new Set(tags)].filter((tag) => !this.#definitions.tags.has(tag));
  }

  #remembered(caller: PolicyCaller): Remembered {
    const known = this.#callers.get(caller);
    if (known?.definitions === this.#definitions) return known;
    const made = { definitions: this.#definitions, grants: this.#grantsOf(caller), tags: new Map() };
    this.#callers.set(caller, made);
    return made;
  }

  #grantsOf(caller: PolicyCaller): Grants {
    const { users, groups } = this.#definitions;
    const name = this.#nameOf(caller);
    if (name === null) return NO_GRANTS;
    const own = users.get(name) ?? NO_GRANTS;
    const named = this.#groupsOf(caller).flatMap((group) => groups.get(group) ?? []);
    if (named.length === 0) return own;
    const grants = new Map(own);
    for (const [tag, scopes] of named.flatMap((group) => [...group]))
      grants.set(tag, new Set([...(grants.get(tag) ?? []), ...scopes]));
    return grants;
  }

  /** The caller's name in tag definitions; null: they cannot name this caller. */
  #nameOf({ kind, uuid, identities }: PolicyCaller): string | null {
    if (kind === "service") return uuid;
    return identities.find(({ provider }) => provider === this.#provider)?.id ?? null;
  }

  #groupsOf({ state }: PolicyCaller): readonly string[] {
    const claimed = this.#claim !== null && Object.hasOwn(state, this.#claim) ? state[this.#claim] : [];
    return [claimed].flat().filter((group) => typeof group === "string");
  }

  #isOwn(tag: string, caller: PolicyCaller): boolean {
    return this.#ownTags(caller).includes(tag);
  }

  #ownTags(caller: PolicyCaller): readonly string[] {
    const name = this.#nameOf(caller);
    if (name === null) return [];
    return caller.kind === "service" ? [`user:${name}`, `service:${name}`] : [`user:${name}`];
  }
}

const NO_TAGS: ReadonlySet<string> = new Set();

/** The single user is the operator and has no other account with access to everything. */
function seesAll(caller: PolicyCaller): boolean {
  return caller.kind === "single_user" || caller.scopes.has(ADMIN);
}
