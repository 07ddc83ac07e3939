/** `saml_settings`: errors stop the start with the key's path and never with its value; what has no effect is said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SamlArgs } from "../../../src/authenticators/saml/settings-schema.ts";
import { OperatorError } from "../../../src/errors.ts";
import { IDP_CERT, OTHER_KEY, SP_CERT, SP_KEY } from "../../support/saml-keys.ts";
import { TLS_CERT } from "../../support/tls.ts";
import { ACS, authenticator } from "./support.ts";

type Settings = SamlArgs["saml_settings"];

const idp = (more: object) => (given: Settings) => ({ ...given, idp: { ...given.idp, ...more } }) as Settings;
const sp = (more: object) => (given: Settings) => ({ ...given, sp: { ...given.sp, ...more } }) as Settings;
const security = (more: object) => (given: Settings) => ({ ...given, security: more }) as Settings;

const WRONG: readonly (readonly [change: (given: Settings) => Settings, error: RegExp])[] = [
  [idp({ x509cert: "" }), /^args\.saml_settings\.idp\.x509cert: is missing/],
  [idp({ x509cert: "abc" }), /idp\.x509cert: is not an X\.509 certificate/],
  [idp({ x509cert: TLS_CERT }), /idp\.x509cert: its key is not RSA/],
  [idp({ certFingerprint: "aa:bb" }), /idp\.certFingerprint: is not supported/],
  [idp({ x509certMulti: { signing: ["abc"] } }), /idp\.x509certMulti\.signing\.0: is not/],
  [
    idp({ singleSignOnService: { url: "http://idp.example/sso" } }),
    /singleSignOnService\.url: must begin with https/,
  ],
  [
    idp({
      singleSignOnService: {
        url: "https://idp.example",
        binding: "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
      },
    }),
    /singleSignOnService\.binding: must be .*HTTP-Redirect/,
  ],
  [
    sp({ assertionConsumerService: { url: "https://tiled.example/saml/acs" } }),
    /sp\.assertionConsumerService\.url: must be this server's public address followed by \/api\/v1\/auth\/provider\/lab\/code/,
  ],
  [sp({ privateKey: "abc" }), /sp\.privateKey: is not an unencrypted private key/],
  [sp({ privateKey: OTHER_KEY, x509cert: SP_CERT }), /sp\.privateKey: does not belong to/],
  [
    security({ authnRequestsSigned: true }),
    /sp\.privateKey: is missing, which security\.authnRequestsSigned needs/,
  ],
  [security({ wantAssertionsEncrypted: true }), /sp\.privateKey: is missing/],
  [
    security({ signatureAlgorithm: "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }),
    /security\.signatureAlgorithm: must be rsa-sha256 or rsa-sha512/,
  ],
  [
    security({ digestAlgorithm: "http://www.w3.org/2000/09/xmldsig#sha1" }),
    /security\.digestAlgorithm: must be/,
  ],
];

test("wrong settings stop the start with the key's path, and repeat no key", () => {
  for (const [change, error] of WRONG) {
    assert.throws(
      () => authenticator(change),
      (thrown) => {
        assert.ok(thrown instanceof OperatorError, String(thrown));
        assert.match(thrown.message, error);
        assert.ok(!thrown.message.includes(OTHER_KEY.slice(40, 80)));
        return true;
      },
    );
  }
});

test("a certificate may be base64 alone, as in metadata", () => {
  const bare = IDP_CERT.replace(/-----[^-]*-----|\s/g, "");
  assert.deepEqual(authenticator(idp({ x509cert: bare })).warnings, []);
});

test("what has no effect is said once, and works", () => {
  const { warnings } = authenticator((given) => ({
    ...given,
    strict: false,
    debug: true,
    organization: {},
    sp: { ...given.sp, singleLogoutService: { url: "https://x" }, x509cert: SP_CERT, privateKey: SP_KEY },
    security: { wantAssertionsSigned: false },
  }));
  assert.deepEqual(warnings.map((line) => /saml_settings\.([\w.]+) has no effect/.exec(line)?.[1]).sort(), [
    "debug",
    "organization",
    "security.wantAssertionsSigned",
    "sp.singleLogoutService",
    "strict",
  ]);
});

test("another address than the browser's is said at the first login", async () => {
  const { ours, warnings } = authenticator();
  const request = { redirectUri: ACS, state: "s", nonce: "n", codeVerifier: "" };
  await ours.begin(request);
  assert.deepEqual(warnings, []);
  for (const redirectUri of [ACS.replace("https", "http"), ACS.replace(".example", ".test")]) {
    await ours.begin({ ...request, redirectUri });
  }
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]), /server\.public_url/);
});
