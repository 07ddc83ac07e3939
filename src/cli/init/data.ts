/**
 * The sections `trees` and `access_control` of a new configuration, and the files that these name: what is served, and who sees which
 * part of it.
 */
import { isAbsolute, relative, sep } from "node:path";
import type { Answers } from "./answers.ts";
import { providerName } from "./authentication.ts";
import { scalar } from "./text.ts";

const DEFINITIONS = "tag_definitions.yml";
const TAGS = "data_tags.yml";

interface DataSections {
  readonly lines: readonly string[];
  /** Texts of further files, by name. */
  readonly files: ReadonlyMap<string, string>;
}

/** `folder`: of the configuration. */
export function dataSections(answers: Answers, folder: string): DataSections {
  const { data, who } = answers;
  const tagged = who === "mixed" && data.kind !== "tiled";
  const lines = ["trees:"];
  if (data.kind === "tiled") lines.push(...behind(answers, data.url));
  else if (data.kind === "folder") {
    lines.push(
      "  # A folder of CSV and NumPy files, read-only: docs/reference/trees.md",
      "  - path: /",
      "    tree: files",
      "    args:",
      `      directory: ${scalar(fromFolder(data.path, folder))}`,
      ...(tagged
        ? [`      access_tags_file: ./${TAGS}`, "    access_tags: [public] # of the folder itself"]
        : []),
    );
  } else
    lines.push(
      "  # Example data. Your own: a folder, or a Tiled server behind this one, docs/reference/trees.md and docs/how-to/gateway.md",
      ...(tagged ? example("/open", "generated_minimal", "public") : example("/", "generated_minimal")),
      ...(tagged ? example("/members", "generated", "members") : []),
    );
  if (!tagged || answers.logins === null) return { lines, files: new Map() };
  const { provider, admin } = answers.logins;
  lines.push(
    "",
    "# Who sees which entries: docs/how-to/access-control.md",
    "access_control:",
    "  access_policy: tiled.access_control.access_policies:TagBasedAccessPolicy",
    "  args:",
    `    provider: ${providerName(provider)} # its user names are those in the groups`,
    `    tag_definitions: ./${DEFINITIONS}`,
    "    # Administrators see everything. Add the people who may read what is tagged 'members'.",
    "    groups:",
    `      members: [${admin === null ? "" : scalar(admin)}]`,
  );
  return {
    lines,
    files: new Map([
      [DEFINITIONS, DEFINITIONS_TEXT],
      ...(data.kind === "folder" ? [[TAGS, TAGS_TEXT] as const] : []),
    ]),
  };
}

function example(path: string, name: string, tag?: string): readonly string[] {
  return [
    `  - path: ${path}`,
    `    tree: tiled.examples.${name}:tree`,
    ...(tag === undefined ? [] : [`    access_tags: [${tag}]`]),
  ];
}

function behind({ who, logins }: Answers, url: string): readonly string[] {
  const name = logins === null ? "single_user" : providerName(logins.provider);
  const anonymous = who === "public" || who === "mixed";
  return [
    "  # A Tiled server that only this server can reach. Its own configuration needs the same secret_keys and, instead of logins,",
    `  # providers: [{provider: ${name}, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {}}}]`,
    ...(anonymous
      ? ["  # and allow_anonymous_access: true. Its access policy decides what visitors see."]
      : []),
    "  # A whole example: example_configs/gateway",
    "  - path: /",
    `    upstream: ${scalar(url)}`,
    "    kind: tiled",
  ];
}

/** Relative where that is a path downwards, with slashes on every system. */
function fromFolder(path: string, folder: string): string {
  const down = relative(folder, path);
  if (down.startsWith("..") || isAbsolute(down)) return path;
  return `./${down.split(sep).join("/")}`;
}

const DEFINITIONS_TEXT = `# What each tag grants, and to whom. It is read again when it changes: docs/how-to/access-control.md
# The tag 'public' always exists; entries with it are for everyone.

roles:
  reader:
    scopes: ["read:metadata", "read:data"]

tags:
  members:
    groups:
      - name: members # of 'groups' in the configuration
        role: reader
`;

const TAGS_TEXT = `# The tags of the entries in the folder, by patterns of their paths. The last line that matches decides. It is read again when it
# changes: docs/how-to/access-control.md

"**": [members]
public: [public] # the folder public/, if there is one
public/**: [public]
`;
