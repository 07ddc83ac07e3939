/**
 * The tag definition file, in the format of Tiled's access tags compiler: its schema, and the rules that a schema cannot
 * express. All problems are reported at once, with line and key path. `definitions.ts` compiles the result.
 */
import { type Static, Type } from "typebox";
import { isScope } from "../../domain/model/scopes.ts";
import { isOwnTag, isPublicTag, PUBLIC } from "../../vocabulary/tags.ts";
import { check } from "../../yaml/check.ts";
import type { Located, Path, Spot } from "../../yaml/located.ts";
import { at, quoted, spotOf } from "../../yaml/located.ts";
import type { Problems } from "../../yaml/problems.ts";
import { optional, section, text } from "../../yaml/schema-shapes.ts";
import { didYouMean } from "../../yaml/suggest.ts";
import type { Shape } from "../../yaml/words.ts";
import { problemsOfNesting } from "./nesting.ts";

const scopes = () => Type.Array(text("not-empty"));

const members = (what: string) =>
  optional(
    Type.Array(
      section(`One of the ${what}`, {
        name: Type.String({ format: "not-empty", description: "The name" }),
        role: optional(text("not-empty"), "The scopes granted, as the name of a role"),
        scopes: optional(scopes(), "The scopes granted, as a list"),
      }),
    ),
    `The ${what} that the tag grants scopes to`,
  );

const owners = (what: string) =>
  optional(
    Type.Array(
      section(`One of the ${what}`, {
        name: Type.String({ format: "not-empty", description: "The name" }),
      }),
    ),
    `The ${what} who may put the tag on entries`,
  );

const tag = section("One tag", {
  users: members("users"),
  groups: members("groups"),
  auto_tags: optional(
    Type.Array(section("One tag", { name: Type.String({ format: "not-empty", description: "Its name" }) })),
    "Tags whose grants this one includes",
  ),
});

const FileSchema = section("Tag definitions", {
  roles: optional(
    Type.Record(
      Type.String(),
      section("One role", {
        scopes: Type.Array(text("not-empty"), { description: "The scopes of the role" }),
      }),
    ),
    "Names for lists of scopes",
  ),
  tags: Type.Record(Type.String(), Type.Union([tag, Type.Null()]), {
    description: "The tags and their grants",
  }),
  tag_owners: optional(
    Type.Record(Type.String(), section("Owners", { users: owners("users"), groups: owners("groups") })),
    "The users and groups who may put a tag on entries",
  ),
});

type Deep<Value> = Value extends readonly (infer Item)[]
  ? readonly (Deep<Item> | undefined)[]
  : Value extends Readonly<Record<string, unknown>>
    ? { readonly [Key in keyof Value]?: Deep<Value[Key]> | undefined }
    : Value;

/** The file after the check against the schema; invalid parts are undefined. */
export type DefinitionFile = Deep<Static<typeof FileSchema>>;
export type TagEntry = NonNullable<NonNullable<DefinitionFile["tags"]>[string]>;
type Member = NonNullable<NonNullable<TagEntry["users"]>[number]>;

/**
 * Checks a parsed file and adds all that is wrong to `problems`.
 *
 * @param allowed The scopes that the policy may grant.
 */
export function checkDefinitions(
  root: Located,
  allowed: ReadonlySet<string>,
  problems: Problems,
): DefinitionFile {
  const value = check(FileSchema as Shape, root, [], { problems, noEffect: () => {} });
  const file = (value ?? {}) as DefinitionFile;
  new Checker(file, root, allowed, problems).all();
  return file;
}

class Checker {
  readonly #file: DefinitionFile;
  readonly #root: Located;
  readonly #allowed: ReadonlySet<string>;
  readonly #problems: Problems;

  constructor(file: DefinitionFile, root: Located, allowed: ReadonlySet<string>, problems: Problems) {
    this.#file = file;
    this.#root = root;
    this.#allowed = allowed;
    this.#problems = problems;
  }

  all(): void {
    for (const [name, role] of Object.entries(this.#file.roles ?? {}))
      if (role !== undefined) this.#scopes(role.scopes, ["roles", name, "scopes"]);
    for (const [name, entry] of Object.entries(this.#file.tags ?? {})) this.#tag(name, entry ?? {});
    for (const name of Object.keys(this.#file.tag_owners ?? {})) {
      if (isOwnTag(name))
        this.#problem(
          ["tag_owners", name],
          "tags that begin with 'user:' or 'service:' have no owners, because they are not put on entries by hand",
        );
    }
    const spotOfTag = (name: string): Spot => this.#spot(["tags", name, "auto_tags"]);
    problemsOfNesting(this.#file.tags ?? {}, (name, message) =>
      this.#problems.add(spotOfTag(name), ["tags", name, "auto_tags"], message),
    );
  }

  #tag(name: string, entry: TagEntry): void {
    const path = ["tags", name];
    if (isPublicTag(name)) {
      this.#problem(
        path,
        `the tag ${quoted(PUBLIC)} cannot be redefined. To make another tag public, give it 'auto_tags: [{name: public}]'`,
      );
    }
    for (const kind of ["users", "groups"] as const) {
      for (const [index, member] of (entry[kind] ?? []).entries())
        if (member !== undefined) this.#member(member, [...path, kind, index]);
    }
    for (const [index, other] of (entry.auto_tags ?? []).entries()) {
      if (other?.name === undefined || isPublicTag(other.name) || this.#isTag(other.name)) continue;
      this.#problem(
        [...path, "auto_tags", index, "name"],
        `the tag ${quoted(other.name)} is not defined.${didYouMean(other.name, Object.keys(this.#file.tags ?? {}))}`,
      );
    }
  }

  #isTag(name: string): boolean {
    return at(this.#root, ["tags", name]) !== undefined;
  }

  #member(member: Member, path: Path): void {
    // Values of a wrong type have been reported already.
    const given = (key: "role" | "scopes") => {
      const node = at(this.#root, [...path, key]);
      return node !== undefined && !(node.kind === "scalar" && node.value === null);
    };
    const both = given("role") && given("scopes");
    if (both || !(given("role") || given("scopes"))) {
      this.#problem(
        path,
        `${both ? "both 'role' and 'scopes' are" : "neither 'role' nor 'scopes' is"} given. Give exactly one of them.`,
      );
      return;
    }
    if (member.scopes != null) this.#scopes(member.scopes, [...path, "scopes"]);
    if (member.role == null || at(this.#root, ["roles", member.role]) !== undefined) return;
    this.#problem(
      [...path, "role"],
      `the role ${quoted(member.role)} is not defined.${didYouMean(member.role, Object.keys(this.#file.roles ?? {}))}`,
    );
  }

  #scopes(scopes: readonly (string | undefined)[] | undefined, path: Path): void {
    if (scopes === undefined) return;
    if (scopes.length === 0) this.#problem(path, "the list is empty. Give at least one scope.");
    for (const [index, scope] of scopes.entries()) {
      if (scope === undefined || this.#allowed.has(scope)) continue;
      const allowed = [...this.#allowed];
      if (isScope(scope)) {
        this.#problem(
          [...path, index],
          `the scope ${quoted(scope)} is not among the policy's own (access_control.args.scopes): ${allowed.join(", ")}`,
        );
        continue;
      }
      this.#problem(
        [...path, index],
        `${quoted(scope)} is not a scope.${didYouMean(scope, allowed)} The scopes are: ${allowed.join(", ")}.`,
      );
    }
  }

  #problem(path: Path, message: string): void {
    this.#problems.add(this.#spot(path), path, message);
  }

  #spot(path: Path): Spot {
    return spotOf(this.#root, path);
  }
}
