/**
 * The section `authentication` of both files: ours as it was, the Tiled's with the names of our providers and without
 * accounts. Secrets stay as the source has them: a variable stays a variable.
 */
import { type Document, isMap, isScalar, isSeq, type Node, Scalar, YAMLMap } from "yaml";
import type { Environment } from "../../yaml/interpolate.ts";
import { nameOfProvider } from "../old-forms.ts";
import { keyOf, type SourceDocument } from "./document.ts";

interface AuthenticationPair {
  readonly ours: Node;
  readonly theirs: Node;
  readonly newSecret: string | null;
}

/** The variable in both files if the source has no secret keys, which a single process does not need. */
const VARIABLE = "TILED_SECRET";
const IN_ENVIRONMENT = "TILED_SECRET_KEYS";
/** A Tiled without providers would have a single user only, and would refuse tokens. */
const SINGLE_USER = "single_user";

export function authenticationPair({ document, root }: SourceDocument, env: Environment): AuthenticationPair {
  const given = root.get("authentication", true) as unknown;
  const ours = (isMap(given) ? given.clone() : document.createNode({})) as YAMLMap;
  nameOldProvider(document, ours);
  const keys = ours.get("secret_keys", true) as unknown;
  const inFile = isSeq(keys) && keys.items.length > 0;
  // A Tiled reads the variable as well, and a key in the file would win over the keys of existing logins.
  const newSecret = inFile || Object.hasOwn(env, IN_ENVIRONMENT) ? null : VARIABLE;
  if (newSecret !== null) ours.set("secret_keys", document.createNode([variable(newSecret)], { flow: true }));
  const theirs = new YAMLMap(document.schema);
  theirs.set("providers", document.createNode(providers(ours).map((name) => provider(document, name))));
  const secrets = ours.get("secret_keys", true) as unknown as Node | undefined;
  if (secrets !== undefined) theirs.set("secret_keys", secrets.clone());
  const anonymous = ours.get("allow_anonymous_access", true) as unknown as Node | undefined;
  if (anonymous !== undefined) theirs.set("allow_anonymous_access", anonymous.clone());
  theirs.commentBefore = " The names of tiled-auth's providers, and its secret keys. It has no accounts.";
  return { ours, theirs, newSecret };
}

/** The form of Tiled of 2021. */
function nameOldProvider(document: Document, ours: YAMLMap): void {
  const authenticator = ours.get("authenticator");
  if (typeof authenticator !== "string" || ours.has("providers")) return;
  const args = ours.get("args", true) as unknown as Node | undefined;
  const entry = new YAMLMap(document.schema);
  entry.set("provider", nameOfProvider(authenticator));
  entry.set("authenticator", authenticator);
  if (args !== undefined) entry.set("args", args);
  ours.items = ours.items.filter((pair) => !["authenticator", "args"].includes(keyOf(pair)));
  ours.set("providers", document.createNode([entry]));
}

function providers(ours: YAMLMap): readonly unknown[] {
  const list = ours.get("providers", true) as unknown;
  const names = isSeq(list)
    ? list.items.flatMap((item) => (isMap(item) && item.has("provider") ? [item.get("provider")] : []))
    : [];
  return names.length === 0 ? [SINGLE_USER] : names;
}

function provider(document: Document, name: unknown): Node {
  return document.createNode({
    provider: name,
    authenticator: "tiled.authenticators:DictionaryAuthenticator",
    args: { users_to_passwords: {} },
  });
}

function variable(name: string): Scalar {
  const scalar = new Scalar(`\${${name}}`);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

/** Whether it contains a secret itself, rather than the name of a variable. */
export function holdsSecret(node: unknown, below = false): boolean {
  if (isSeq(node)) return node.items.some((item) => holdsSecret(item, below));
  if (isMap(node)) {
    return node.items.some((pair) => {
      const secret = /secret|passw|pwd|_pw$|api_key|token$|private_key/i.test(keyOf(pair));
      return holdsSecret(pair.value, below || secret);
    });
  }
  if (!isScalar(node) || typeof node.value !== "string" || /^\$\{?\w+\}?$/.test(node.value)) return false;
  return below || /:\/\/[^/@\s:]*:(?!\$)[^/@\s]+@/.test(node.value);
}
