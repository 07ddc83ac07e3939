/**
 * Generates docs/reference/openapi.json, which the package exports as `tiled-auth/openapi.json`: the routes of all configurations in one
 * document, of which each server's `/openapi.json` is a part. `npm run docs` writes it, and test/http/operation/openapi.test.ts
 * checks that it is current. A server's providers have paths of their own; here they are one path with a parameter.
 */
import { writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { pino } from "pino";
import { configFromObject, startServer } from "../src/index.ts";
import { settings } from "../test/support/saml-idp.ts";

export const DOCUMENT = new URL("../docs/reference/openapi.json", import.meta.url);

type Json = Readonly<Record<string, unknown>>;

interface Body {
  readonly content?: Readonly<Record<string, { readonly schema?: Json }>>;
}

interface Answer extends Body {
  readonly headers?: Json;
  readonly $ref?: string;
}

export interface Operation extends Json {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Json[];
  readonly security?: readonly Json[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface OpenApi extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Json;
    readonly schemas: Readonly<Record<string, Json>>;
    readonly responses: Readonly<Record<string, Answer>>;
  };
}

/** Its tokenUrl would have to be a path of one server. */
const PASSWORD_SCHEME = "OAuth2PasswordBearer";

const PROVIDER = {
  in: "path",
  name: "provider",
  required: true,
  description: "A provider's name in the about document",
  schema: { type: "string" },
};

/** Every part of the server that has routes; without connections to elsewhere. */
const EVERYTHING = {
  authentication: {
    providers: [
      {
        provider: "internal",
        authenticator: "tiled.authenticators:DictionaryAuthenticator",
        args: { users_to_passwords: { alice: "only to describe the routes" } },
      },
      {
        provider: "external",
        authenticator: "tiled.authenticators:OIDCAuthenticator",
        args: {
          well_known_uri: "http://127.0.0.1:9/.well-known/openid-configuration",
          client_id: "none",
          client_secret: "none",
        },
      },
      {
        provider: "saml",
        authenticator: "tiled.authenticators:SAMLAuthenticator",
        args: {
          saml_settings: settings("http://127.0.0.1/api/v1/auth/provider/saml/code"),
          attribute_name: "none",
        },
      },
    ],
    secret_keys: ["only to describe the routes, and never for a token"],
  },
  trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
  cave: { server_address: "http://127.0.0.1" },
};

/** The document of all configurations, as text. */
export async function openApiDocument(): Promise<string> {
  const config = configFromObject(EVERYTHING, {}, { host: "127.0.0.1", port: 0 });
  const server = await startServer(config, { log: pino({ level: "silent" }) });
  try {
    const response = await fetch(`${server.url}/openapi.json`);
    return `${JSON.stringify(ofAllProviders((await response.json()) as OpenApi), null, 2)}\n`;
  } finally {
    await server.stop();
  }
}

/** With one path for all providers, and without what only one server has. */
export function ofAllProviders(document: OpenApi): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  const parts = new Map<string, Operation[]>();
  for (const [path, operations] of Object.entries(document.paths)) {
    const name = /^\/api\/v1\/auth\/provider\/([^/]+)\//.exec(path)?.[1];
    const place = name === undefined ? path : path.replace(`/${name}/`, "/{provider}/");
    const among: Record<string, Operation> = paths[place] ?? {};
    paths[place] = among;
    for (const [method, operation] of Object.entries(operations)) {
      const general = name === undefined ? operation : ofAnyProvider(operation, name);
      const { security } = general;
      const one = security === undefined ? general : { ...general, security: security.filter(isGeneral) };
      const same = parts.get(`${method} ${place}`) ?? [];
      if (same.some((part) => isDeepStrictEqual(part, one))) continue;
      parts.set(`${method} ${place}`, [...same, one]);
      const known = among[method];
      among[method] = known === undefined ? one : joined(known, one, document);
    }
  }
  const { [PASSWORD_SCHEME]: _, ...securitySchemes } = document.components.securitySchemes;
  return { ...document, paths, components: { ...document.components, securitySchemes } };
}

function isGeneral(requirement: Json): boolean {
  return !(PASSWORD_SCHEME in requirement);
}

function ofAnyProvider(operation: Operation, name: string): Operation {
  const { operationId, parameters = [] } = operation;
  const suffix = `_${name}`;
  return {
    ...operation,
    operationId: operationId.endsWith(suffix) ? operationId.slice(0, -suffix.length) : operationId,
    parameters: [PROVIDER, ...parameters],
  };
}

/** One operation for two kinds of provider, which take other bodies and refuse in other words. */
function joined(one: Operation, other: Operation, document: OpenApi): Operation {
  if (isDeepStrictEqual(one, other)) return one;
  const statuses = [...new Set([...Object.keys(one.responses), ...Object.keys(other.responses)])].sort();
  const responses = statuses.map((status) => {
    const [a, b] = [one.responses[status], other.responses[status]];
    if (a === undefined || b === undefined || isDeepStrictEqual(a, b)) return [status, a ?? b];
    const [first, second] = [resolved(a, document), resolved(b, document)];
    return [status, { ...first, content: joinedContent(first, second) }];
  });
  // A form: what every kind of provider takes, and one type, since some generators cannot choose between several.
  const taken = ({ requestBody = {} }: Operation) => requestBody.content ?? {};
  const types = Object.keys(taken(one)).filter((type) => type in taken(other));
  const content = joinedContent({ content: taken(one) }, { content: taken(other) });
  const requestBody = {
    ...one.requestBody,
    content: Object.fromEntries(types.map((type) => [type, content[type] ?? {}])),
  };
  return {
    ...one,
    summary: `${one.summary}. ${other.summary}`,
    requestBody,
    responses: Object.fromEntries(responses) as Operation["responses"],
  };
}

function resolved(answer: Answer, { components }: OpenApi): Answer {
  const name = answer.$ref?.split("/").at(-1);
  return name === undefined ? answer : (components.responses[name] ?? answer);
}

function joinedContent(
  { content: one = {} }: Body,
  { content: other = {} }: Body,
): NonNullable<Body["content"]> {
  const types = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(
    types.map((type) => {
      const schemas = [one[type]?.schema, other[type]?.schema].filter((schema) => schema !== undefined);
      const [first, second] = schemas;
      const differ = second !== undefined && !isDeepStrictEqual(first, second);
      return [type, { schema: differ ? { anyOf: schemas } : (first ?? {}) }];
    }),
  );
}

if (import.meta.main) await writeFile(DOCUMENT, await openApiDocument());
