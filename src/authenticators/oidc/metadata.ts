/**
 * A provider's metadata (OpenID Connect Discovery, section 3; RFC 8414, section 2), read strictly: a missing or forbidden
 * endpoint is found here and not during a login.
 */
import type { ServerMetadata } from "openid-client";
import { Failure } from "../../errors.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { quotedForLog } from "./signature.ts";
import { urlProblem } from "./urls.ts";

export interface Metadata {
  /** Null if the configuration has the endpoints itself. */
  readonly issuer: string | null;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string | null;
  readonly deviceAuthorizationEndpoint: string | null;
  readonly endSessionEndpoint: string | null;
  /** Signature algorithms: those announced that are trustworthy. */
  readonly algorithms: readonly string[];
  /** Methods of client authentication; null if none are announced. */
  readonly authMethods: readonly string[] | null;
  /** RFC 9207: every return of the browser names the issuer. */
  readonly announcesIssuer: boolean;
}

/** `source`: the address of the document, for the operator. */
export function readMetadata(document: ServerMetadata, source: string, loopback: boolean): Metadata {
  const said = document as Readonly<Record<string, unknown>>;
  const wrong = (what: string) =>
    new Failure("bad_gateway", {
      log: `The provider's discovery document (${source}, args.well_known_uri) ${what}.`,
    });

  const endpoint = (name: string): string | null => {
    const value = said[name];
    if (value === undefined || value === null) return null;
    const problem = urlProblem(value, loopback);
    if (problem !== null) throw wrong(`has a '${name}' that ${problem}`);
    return value as string;
  };
  const needed = (name: string): string => {
    const value = endpoint(name);
    if (value === null) throw wrong(`has no '${name}'`);
    return value;
  };

  const { issuer } = document;
  if (typeof issuer !== "string" || issuer === "") throw wrong("has no 'issuer'");
  if (/[{}]/.test(issuer)) {
    throw wrong(`is one for all tenants (issuer ${quotedForLog(issuer)}); name your own tenant's address`);
  }
  const announced = texts(said["id_token_signing_alg_values_supported"]);
  const algorithms = ALGORITHMS.filter((name) => announced?.includes(name) ?? true);
  if (algorithms.length === 0) {
    throw wrong(
      `announces no signature that can be trusted, only ${quotedForLog(announced)}; allowed: ${ALGORITHMS.join(", ")}`,
    );
  }
  return {
    issuer,
    authorizationEndpoint: needed("authorization_endpoint"),
    tokenEndpoint: needed("token_endpoint"),
    jwksUri: needed("jwks_uri"),
    deviceAuthorizationEndpoint: endpoint("device_authorization_endpoint"),
    endSessionEndpoint: endpoint("end_session_endpoint"),
    algorithms,
    authMethods: texts(said["token_endpoint_auth_methods_supported"]),
    announcesIssuer: said["authorization_response_iss_parameter_supported"] === true,
  };
}

/** Whether the operator gave the document's address rather than the issuer. */
export function namesDocument({ pathname }: URL): boolean {
  return /\/\.well-known\/./.test(pathname);
}

/** The address of an issuer's document (OpenID Connect Discovery, section 4). */
export function documentOf(wellKnown: URL): URL {
  if (namesDocument(wellKnown)) return wellKnown;
  const url = new URL(wellKnown);
  url.pathname = `${url.pathname.replace(/(?:\/\.well-known)?\/?$/, "")}/.well-known/openid-configuration`;
  return url;
}

/**
 * Whether the document is at its issuer's address (OpenID Connect Discovery, section 4.3). A slash at the end of the issuer does
 * not matter here; tokens must have the issuer exactly as announced.
 */
export function isAt(issuer: string, wellKnown: URL): boolean {
  const place = documentOf(wellKnown).href.replace(/\/\.well-known\/.*$/, "");
  return URL.parse(issuer)?.href.replace(/\/$/, "") === place;
}

function texts(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : null;
}
