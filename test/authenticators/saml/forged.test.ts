/**
 * Forged answers of a SAML provider: signature wrapping in its eight classical forms (Somorovsky et al., "On Breaking SAML",
 * 2012), comments, entities, weak algorithms, other keys, and answers for somebody else. Every signature in here is real.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import {
  ATTRIBUTE,
  answerXml,
  assertionOf,
  attribute,
  encoded,
  newId,
  responseOf,
  type Said,
  type Signing,
  signed,
} from "../../support/saml-idp.ts";
import { IDP_CERT, OTHER_KEY } from "../../support/saml-keys.ts";
import { begun, refused } from "./support.ts";

const EVIL: Partial<Said> = { attributes: attribute(ATTRIBUTE, "root") };

/** A signed answer cut into its pieces, and an assertion that the attacker wrote. */
async function pieces() {
  const scene = await begun();
  const { said } = scene;
  const xml = answerXml(said);
  const [assertion = ""] = /<saml:Assertion .*<\/saml:Assertion>/s.exec(xml) ?? [];
  const [signature = ""] = /<ds:Signature .*<\/ds:Signature>/s.exec(xml) ?? [];
  assert.ok(assertion !== "" && signature !== "");
  const evil = assertionOf({ ...said, ...EVIL });
  const bare = assertion.replace(signature, "");
  const around = (inside: string) => responseOf(said, inside);
  const withObject = (inside: string) =>
    signature.replace("</ds:Signature>", `<ds:Object>${inside}</ds:Object></ds:Signature>`);
  const within = (parent: string, inside: string) =>
    parent.replace("</saml:Assertion>", `${inside}</saml:Assertion>`);
  const whole = signed(around(assertionOf(said)), { element: "Response" });
  const [outer = ""] = /<ds:Signature .*<\/ds:Signature>/s.exec(whole) ?? [];
  return { ...scene, xml, assertion, signature, evil, bare, around, withObject, within, whole, outer };
}

type Pieces = Awaited<ReturnType<typeof pieces>>;

const WRAPPED: readonly (readonly [name: string, forge: (p: Pieces) => string])[] = [
  [
    "XSW1: the signed response in the signature of a forged one",
    ({ whole, outer, evil, said }) =>
      responseOf(said, evil).replace(
        "</samlp:Response>",
        `${outer.replace("</ds:Signature>", `<ds:Object>${whole.replace(outer, "")}</ds:Object></ds:Signature>`)}</samlp:Response>`,
      ),
  ],
  [
    "XSW2: the signed response beside a detached signature",
    ({ whole, outer, evil, said }) => responseOf(said, whole.replace(outer, "") + outer + evil),
  ],
  [
    "XSW3: the forged assertion before the signed one",
    ({ around, evil, assertion }) => around(evil + assertion),
  ],
  [
    "XSW4: the signed assertion in the forged one",
    ({ around, evil, assertion, within }) => around(within(evil, assertion)),
  ],
  [
    "XSW5: the signature in the forged assertion, the signed one at the end",
    ({ around, evil, signature, bare }) =>
      around(evil.replace("</saml:Issuer>", `</saml:Issuer>${signature}`) + bare),
  ],
  [
    "XSW6: the signed assertion in the signature in the forged assertion",
    ({ around, evil, bare, withObject }) =>
      around(evil.replace("</saml:Issuer>", `</saml:Issuer>${withObject(bare)}`)),
  ],
  [
    "XSW7: the forged assertion in extensions",
    ({ around, evil, assertion }) => around(`<samlp:Extensions>${evil}</samlp:Extensions>${assertion}`),
  ],
  [
    "XSW8: the signed assertion in an object of the signature",
    ({ around, evil, bare, withObject }) => around(within8(evil, withObject(bare))),
  ],
];

function within8(evil: string, signature: string): string {
  return evil.replace("<saml:Subject>", `${signature}<saml:Subject>`);
}

for (const [name, forge] of WRAPPED) {
  test(`${name} is refused`, async () => {
    const made = await pieces();
    await refused(made.post(forge(made)), /more than one Response or Assertion|not directly in its Response/);
    assert.equal((await made.post(made.xml)).identity.id, "ada", "the original passes");
  });
}

test("the same ID twice is refused", async () => {
  const { post, said } = await begun();
  const id = newId();
  await refused(post(answerXml({ ...said, responseId: id, assertionId: id })), /is there twice/);
});

test("two signed assertions are refused", async () => {
  const { post, around, assertion, said } = await pieces();
  const second = /<saml:Assertion .*<\/saml:Assertion>/s.exec(answerXml(said))?.[0] ?? "";
  await refused(post(around(assertion + second)), /more than one/);
});

test("the signed assertion alone, but not directly in its response, is refused", async () => {
  const { post, around, assertion } = await pieces();
  const inside = around(`<samlp:Extensions>${assertion}</samlp:Extensions>`);
  await refused(post(inside), /not directly in its Response/);
  const foreign = around('<Assertion xmlns="urn:oasis:names:tc:SAML:1.0:assertion" ID="_a"/>');
  await refused(post(foreign), /not directly in its Response/);
});

test("a response in a response is refused", async () => {
  const { post, around } = await pieces();
  await refused(post(around(around(""))), /more than one Response or Assertion/);
});

test("a signature too many, or with an object, is refused", async () => {
  const { post, xml, signature, withObject } = await pieces();
  await refused(post(xml.replace(signature, signature + signature)), /signature too many/);
  await refused(
    post(xml.replace("<samlp:Status>", `<samlp:Extensions>${signature}</samlp:Extensions>$&`)),
    /signature too many/,
  );
  await refused(post(xml.replace("</saml:Subject>", `${signature}$&`)), /signature too many/);
  await refused(post(xml.replace(signature, withObject("<a/>"))), /has an Object/);
});

for (const [where, said] of [
  ["a NameID", { nameId: "ada<!-- x -->.evil" }],
  ["an attribute", { attributes: attribute(ATTRIBUTE, "ada<!-- x -->.evil") }],
] as const) {
  test(`a comment in ${where} is refused, although its signature fits`, async () => {
    const { answer } = await begun();
    await refused(answer(said), /comment/);
  });
}

test("documents with types, entities, instructions and CDATA are refused", async () => {
  const { post, receive, xml } = await pieces();
  await refused(post(`<!DOCTYPE r [<!ENTITY e "root">]>${xml}`), /DOCTYPE/);
  await refused(post(`<!DOCTYPE r SYSTEM "file:///etc/passwd">${xml}`), /DOCTYPE/);
  await refused(post(xml.replace(">ada<", ">&e;<")), /not well-formed|signature/);
  await refused(post(xml.replace("<saml:Subject>", "<?php x?><saml:Subject>")), /processing instruction/);
  await refused(post(xml.replace(">ada<", "><![CDATA[ada]]><")), /CDATA/);
  await refused(receive(Buffer.from(xml, "utf16le").toString("base64")), /not XML|UTF-8|NUL/);
});

for (const [name, signing, log] of [
  ["SHA-1", { algorithm: "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }, /rsa-sha1/],
  ["a digest of SHA-1", { digest: "http://www.w3.org/2000/09/xmldsig#sha1" }, /digest is of .*sha1/],
  [
    "an HMAC with the provider's certificate as its secret",
    { algorithm: "http://www.w3.org/2000/09/xmldsig#hmac-sha1", key: IDP_CERT, hmac: true },
    /hmac-sha1/,
  ],
  ["another key", { key: OTHER_KEY }, /x509cert/],
  [
    "inclusive canonicalization",
    { canonicalization: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" },
    /canonicalization/,
  ],
  [
    "no enveloped signature transform",
    { transforms: ["http://www.w3.org/2001/10/xml-exc-c14n#"] },
    /transforms/,
  ],
  ["a signature of the response alone", { element: "Response" }, /only the Response is/],
] as const satisfies readonly (readonly [string, Signing, RegExp])[]) {
  test(`${name} is refused`, async () => {
    const { answer } = await begun();
    await refused(answer({}, signing), log);
  });
}

test("an answer without a signature, or with the algorithm none, is refused", async () => {
  const { post, said, xml } = await pieces();
  await refused(post(responseOf(said, assertionOf(said))), /not signed/);
  await refused(post(xml.replace(/(SignatureMethod Algorithm=")[^"]*/, "$1none")), /"none"/);
  await refused(post(xml.replace(/<ds:SignatureValue>.*?<\/ds:SignatureValue>/s, "")), /signature/i);
});

test("changed bytes are refused", async () => {
  const { post, xml } = await pieces();
  for (const [from, to] of [
    [">ada<", ">root<"],
    ['NotOnOrAfter="2', 'NotOnOrAfter="3'],
    ["<saml:AttributeStatement>", `<saml:AttributeStatement>${attribute("x", "y")}`],
  ] as const) {
    assert.ok(xml.includes(from));
    await refused(post(xml.replace(from, to)), /signature/);
  }
});

test("a second reference, or one to another element, is refused", async () => {
  const { post, xml, said } = await pieces();
  const [reference = ""] = /<ds:Reference .*?<\/ds:Reference>/s.exec(xml) ?? [];
  await refused(post(xml.replace(reference, reference + reference)), /exactly one reference/);
  await refused(post(xml.replace(/URI="#[^"]*"/, 'URI=""')), /refers to ""/);
  assert.ok(said);
});

for (const [name, said, log] of [
  ["of another provider", { issuer: "https://evil.example" }, /issuer is/],
  ["for another audience", { audience: "https://other.example" }, /audience is not/],
  ["without an audience", { audience: null }, /no AudienceRestriction/],
  ["for another recipient", { recipient: "https://other.example/code" }, /recipient is/],
  ["to another destination", { destination: "https://other.example/code" }, /destination is/],
  ["to another request", { subjectInResponseTo: newId(), inResponseTo: newId() }, /another request/],
  ["to no request", { subjectInResponseTo: null, inResponseTo: null }, /none of ours/],
  ["whose signed InResponseTo is another's", { subjectInResponseTo: newId() }, /another request/],
  ["whose InResponseTo is in the unsigned response only", { subjectInResponseTo: null }, /InResponseTo/],
  ["of a holder of key", { method: "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key" }, /bearer/],
  ["that proves no login", { statements: "" }, /AuthnStatement/],
] as const satisfies readonly (readonly [string, Partial<Said>, RegExp])[]) {
  test(`an answer ${name} is refused`, async () => {
    const { answer } = await begun();
    await refused(answer(said), log);
  });
}

test("two confirmations that fit only together are refused", async () => {
  const { post, said } = await begun();
  const [confirmation = ""] =
    /<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/.exec(assertionOf(said)) ?? [];
  const elsewhere = confirmation.replace(said.acsUrl, "https://other.example/code");
  const another = confirmation.replace(said.requestId, newId());
  for (const both of [elsewhere + another, another + elsewhere]) {
    const assertion = assertionOf(said).replace(confirmation, both);
    await refused(post(signed(responseOf(said, assertion))), /another request|recipient is/);
  }
});

for (const [name, from, to, log] of [
  [
    "for us and, in a second restriction, for others only",
    "</saml:Conditions>",
    "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>$&",
    /audience is/,
  ],
  ["whose confirmation has no end", / NotOnOrAfter="[^"]*" Recipient/, " Recipient", /NotOnOrAfter/],
  [
    "whose session is over",
    "<saml:AuthnStatement ",
    '$&SessionNotOnOrAfter="2001-01-01T00:00:00Z" ',
    /session .* is over/,
  ],
  ["of SAML 1.1", 'Version="2.0"', 'Version="1.1"', /version/i],
] as const) {
  test(`an assertion ${name} is refused`, async () => {
    const { post, said } = await begun();
    const assertion = assertionOf(said);
    const changed = assertion.replace(from, to);
    assert.notEqual(changed, assertion);
    await refused(post(signed(responseOf(said, changed))), log);
  });
}

test("what is no answer at all is refused", async () => {
  const { receive, post, xml } = await pieces();
  for (const text of ["", "=", "%%%%", "abc", "a===", `${encoded(xml)}!`])
    await refused(receive(text), /not base64/);
  await refused(post("hello"), /not XML/);
  await refused(post("<a>"), /not well-formed|not a Response/);
  await refused(post("<a/>"), /not a Response/);
  await refused(receive(Buffer.from([0x3c, 0xff, 0xfe, 0x3e]).toString("base64")), /UTF-8/);
  await refused(receive(deflateRawSync(xml).toString("base64")), /UTF-8|not XML/);
});

test("an answer costs no more than its size allows", async () => {
  const { receive, post, around, assertion } = await pieces();
  await refused(receive("A".repeat(1_000_000)), /larger than 256 kB/);
  await refused(post(around(assertion + " ".repeat(256 * 1024))), /larger than 256 kB/);
  await refused(post(around("<a>".repeat(20_000))), /tags/);
  await refused(post(around(`${"<a>".repeat(100)}${"</a>".repeat(100)}${assertion}`)), /nested/);
  const bomb = deflateRawSync(Buffer.alloc(50_000_000, "<a>"));
  await refused(receive(bomb.toString("base64")), /UTF-8|not XML|NUL/);
});
