/**
 * What a provider can do wrong, by name, with what a login must then fail with. `hostile-provider.ts` carries it out.
 */
import { exportSPKI, importJWK, type JWTPayload, SignJWT } from "jose";
import type { Misbehaviour, Signer } from "./misbehaviour.ts";
import { signingKey } from "./signing-key.ts";

const set =
  (name: string, value: unknown) =>
  (claims: JWTPayload): void => {
    claims[name] = value;
  };
const drop =
  (name: string) =>
  (claims: JWTPayload): void => {
    delete claims[name];
  };
const claim = (claims: NonNullable<Misbehaviour["claims"]>, log: RegExp): Misbehaviour => ({
  code: "provider_invalid",
  log,
  claims,
});
const forged = (forge: NonNullable<Misbehaviour["forge"]>, log: RegExp): Misbehaviour => ({
  code: "provider_invalid",
  log,
  forge,
});

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
export const MISBEHAVIOURS = {
  "another audience": claim(set("aud", "another-client"), /audience \(aud\).*args\.client_id/),
  "no audience": claim(drop("aud"), /no audience \(aud\)/),
  "an empty audience": claim(set("aud", []), /no audience \(aud\)/),
  "an audience that is no text": claim(set("aud", [7]), /no audience \(aud\)/),
  "several audiences and no azp": claim((claims) => {
    claims.aud = ["tiled", "another-client"];
    delete claims["azp"];
  }, /\(azp\)/),
  "issued to another client": claim(set("azp", "another-client"), /another client \(azp/),
  "several audiences, issued to another": claim((claims) => {
    claims.aud = ["tiled", "another-client"];
    claims["azp"] = "another-client";
  }, /another client \(azp/),
  "another issuer": claim(set("iss", "https://elsewhere.example"), /issuer \(iss\).*args\.well_known_uri/),
  "no issuer": claim(drop("iss"), /issuer \(iss\) is none/),
  "an issuer with a slash more": claim((claims) => {
    claims.iss += "/";
  }, /issuer \(iss\)/),
  "another nonce": claim(set("nonce", "of-another-login"), /nonce is not the one that was sent/),
  "no nonce": claim(drop("nonce"), /no nonce/),
  "no expiry": claim(drop("exp"), /no 'exp'/),
  "an expiry that is no time": claim(set("exp", "tomorrow"), /'exp' is not a time/),
  "an endless expiry": {
    ...forged(async (claims, provider) => {
      const text = JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999');
      return compact(provider, { alg: provider.key.alg, kid: provider.key.kid }, text);
    }, /'exp' is not a time/),
  },
  expired: claim((claims, now) => {
    claims.exp = now - 31;
  }, /expired \(exp\).*clock/),
  "not valid yet": claim((claims, now) => {
    claims.nbf = now + 31;
  }, /nbf.*clock/),
  "no time of issue": claim(drop("iat"), /\(iat\)/),
  "issued in the future": claim((claims, now) => {
    claims.iat = now + 31;
  }, /future \(iat/),
  "no subject": claim(drop("sub"), /\(sub\)/),
  "an empty subject": claim(set("sub", ""), /\(sub\)/),
  "a blank subject": claim(set("sub", "  "), /\(sub\)/),
  "a numeric subject": claim(set("sub", 12345), /\(sub\)/),
  "a subject that is an object": claim(set("sub", { toString: "x" }), /\(sub\)/),
  "a subject of 256 characters": claim(set("sub", "x".repeat(256)), /\(sub\)/),
  "a subject with a NUL": claim(set("sub", "alice\0"), /\(sub\)/),
  "a subject with a line break": claim(set("sub", "alice\nroot"), /\(sub\)/),
  "another at_hash": claim(set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), /at_hash/),
  "an empty at_hash": claim(set("at_hash", ""), /at_hash/),
  "an at_hash that is null": claim(set("at_hash", null), /at_hash/),

  "no signature, alg none": forged(async (claims) => unsigned("none", claims), /not signed \(alg none\)/),
  "no signature, alg None": forged(async (claims) => unsigned("None", claims), /not signed/),
  "the signature stripped": forged(async (claims, provider) => {
    const token = await provider.sign(claims);
    return token.slice(0, token.lastIndexOf(".") + 1);
  }, /signature is wrong/),
  "the signature and its dot stripped": forged(async (claims, provider) => {
    const token = await provider.sign(claims);
    return token.slice(0, token.lastIndexOf("."));
  }, /not a signed token/),
  "the signature of another token": forged(async (claims, provider) => {
    const [header, payload] = (await provider.sign(claims)).split(".");
    const [, , signature] = (await provider.sign({ ...claims, sub: "someone-else" })).split(".");
    return `${header}.${payload}.${signature}`;
  }, /signature is wrong/),
  "an HMAC with the public key, PEM": forged(async (claims, provider) => {
    const key = await importJWK(provider.key.publicJwk, provider.key.alg, { extractable: true });
    if (key instanceof Uint8Array) throw new Error("not a public key");
    return hmac(claims, provider, new TextEncoder().encode(await exportSPKI(key)));
  }, /HS256, a shared secret/),
  "an HMAC with the public key, JWK": forged(
    (claims, provider) =>
      hmac(claims, provider, new TextEncoder().encode(JSON.stringify(provider.key.publicJwk))),
    /HS256, a shared secret/,
  ),
  "an HMAC with the client's secret": forged(
    (claims, provider) => hmac(claims, provider, new TextEncoder().encode("s+e c:r%e/t".padEnd(32))),
    /HS256, a shared secret/,
  ),
  "another key under the known kid": forged(
    async (claims, provider) => provider.sign(claims, {}, await signingKey(provider.key.alg, "first")),
    /signature is wrong/,
  ),
  "a key in the header (jwk)": forged(async (claims, provider) => {
    const own = await signingKey(provider.key.alg, "first");
    return provider.sign(claims, { jwk: own.publicJwk }, own);
  }, /signature is wrong/),
  "a key in the header (jwk), its own kid": forged(async (claims, provider) => {
    const own = await signingKey(provider.key.alg, "mine");
    return provider.sign(claims, { jwk: own.publicJwk }, own);
  }, /kid "mine".*not among the provider's keys/),
  "a key at an address in the header (jku)": forged(async (claims, provider) => {
    const own = await signingKey(provider.key.alg, "mine");
    const jwks = { keys: [own.publicJwk] };
    return provider.sign(claims, { jku: `data:application/json,${JSON.stringify(jwks)}` }, own);
  }, /kid "mine".*not among/),
  "a certificate in the header (x5c)": forged(async (claims, provider) => {
    const own = await signingKey(provider.key.alg, "mine");
    const key = await importJWK(own.publicJwk, own.alg, { extractable: true });
    if (key instanceof Uint8Array) throw new Error("not a public key");
    const der = (await exportSPKI(key)).replaceAll(/-----.*?-----|\s/g, "");
    return provider.sign(claims, { x5c: [der] }, own);
  }, /kid "mine".*not among/),
  "an unknown key": forged(
    async (claims, provider) => provider.sign(claims, {}, await signingKey(provider.key.alg, "unknown")),
    /kid "unknown".*not among/,
  ),
  "an unknown critical header": forged(
    async (claims, provider) =>
      compact(
        provider,
        { alg: provider.key.alg, kid: provider.key.kid, crit: ["exp"], exp: 1 },
        JSON.stringify(claims),
      ),
    /is refused/,
  ),
  "another algorithm than announced": forged(async (claims, provider) => {
    const other = await signingKey("PS256", "ps");
    provider.published = [...provider.published, other.publicJwk];
    return provider.sign(claims, {}, other);
  }, /PS256; the provider announces/),
  "another token of the provider": forged(
    (claims, provider) => provider.sign(claims, { typ: "logout+jwt" }),
    /another token.*logout/,
  ),
  "an encrypted token": forged(async () => "a.b.c.d.e", /encrypted/),
  "a header that is not JSON": forged(async () => "e30x.e30.e30", /header cannot be read|no algorithm/),
  "a payload that is not JSON": forged(
    (_claims, provider) => compact(provider, { alg: provider.key.alg, kid: provider.key.kid }, "hello"),
    /is refused/,
  ),
  "a payload that is a list": forged(
    (_claims, provider) => compact(provider, { alg: provider.key.alg, kid: provider.key.kid }, "[]"),
    /is refused/,
  ),
  "a token of 100 kB": forged(async () => `e30.${"x".repeat(100_000)}.e30`, /longer than/),

  "no id_token": {
    code: "provider_invalid",
    log: /no id_token/,
    answer: ({ id_token: _, ...rest }) => rest,
  },
  "an id_token that is no text": {
    code: "provider_invalid",
    log: /no id_token/,
    answer: (answer) => ({ ...answer, id_token: { sub: "alice" } }),
  },
  "no access token": {
    code: "provider_invalid",
    log: /access_token/,
    answer: ({ access_token: _, ...rest }) => rest,
  },
  "another token type": {
    code: "provider_invalid",
    log: /token_type/,
    answer: (answer) => ({ ...answer, token_type: "mac" }),
  },
  "refuses the code": {
    code: "login_refused",
    log: /invalid_grant.*redirect URI/,
    status: 400,
    answer: () => ({ error: "invalid_grant" }),
  },
  "refuses the client": {
    code: "login_refused",
    log: /invalid_client.*args\.client_secret/,
    status: 401,
    answer: () => ({ error: "invalid_client" }),
  },
  "an error without a name": { code: "provider_invalid", status: 400, answer: () => ({ message: "no" }) },

  "access denied": {
    code: "login_refused",
    log: /access_denied/,
    callback: (query) => {
      query.delete("code");
      query.set("error", "access_denied");
    },
  },
  "temporarily unavailable": {
    code: "bad_gateway",
    log: /temporarily_unavailable/,
    callback: (query) => {
      query.delete("code");
      query.set("error", "temporarily_unavailable");
    },
  },
  "a scope refused": {
    code: "login_refused",
    log: /invalid_scope.*args\.scopes/,
    callback: (query) => {
      query.delete("code");
      query.set("error", "invalid_scope");
    },
  },
  "no code": {
    code: "provider_invalid",
    log: /no authorization code/,
    callback: (query) => query.delete("code"),
  },
  "a code twice": {
    code: "provider_invalid",
    log: /"code" parameter must be provided only once/,
    callback: (query) => query.append("code", "another"),
  },
  "a code of another login": {
    code: "login_refused",
    log: /invalid_grant/,
    callback: (query) => query.set("code", "of-another-login"),
  },
  "no state": {
    code: "provider_invalid",
    log: /"state" missing/,
    callback: (query) => query.delete("state"),
  },
  "another state": {
    code: "provider_invalid",
    log: /unexpected "state"/,
    callback: (query) => query.set("state", "another"),
  },
  "a state twice": {
    code: "provider_invalid",
    log: /"state" parameter must be provided only once/,
    callback: (query) => query.append("state", query.get("state") ?? ""),
  },
  "no iss in the callback": {
    code: "provider_invalid",
    log: /"iss" \(issuer\) missing/,
    callback: (query) => query.delete("iss"),
  },
  "another iss in the callback": {
    code: "provider_invalid",
    log: /unexpected "iss".*RFC 9207/,
    callback: (query) => query.set("iss", "https://elsewhere.example"),
  },
} as const satisfies Record<string, Misbehaviour>;

export type MisbehaviourName = keyof typeof MISBEHAVIOURS;

function unsigned(alg: string, claims: JWTPayload): string {
  return `${base64url({ alg, typ: "JWT" })}.${base64url(claims)}.`;
}

function hmac(claims: JWTPayload, provider: Signer, secret: Uint8Array): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", kid: provider.key.kid, typ: "JWT" })
    .sign(secret);
}

/** Signs whatever header and text there are, with the provider's own key. */
async function compact(provider: Signer, header: Record<string, unknown>, payload: string): Promise<string> {
  const signed = `${base64url(header)}.${Buffer.from(payload).toString("base64url")}`;
  const signature = await crypto.subtle.sign(
    "RSASSA-PKCS1-v1_5",
    provider.key.privateKey as never,
    Buffer.from(signed),
  );
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}
