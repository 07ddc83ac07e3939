/** Right answers of a SAML provider, and wrong ones that nobody forged. */
import assert from "node:assert/strict";
import { createVerify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { encrypt } from "xml-encryption";
import {
  ATTRIBUTE,
  assertionOf,
  attribute,
  encoded,
  newId,
  responseOf,
  signed,
} from "../../support/saml-idp.ts";
import { IDP_CERT, OTHER_CERT, OTHER_KEY, SP_CERT, SP_KEY } from "../../support/saml-keys.ts";
import { authenticator, begun, refused } from "./support.ts";

test("a signed assertion names the person, with name and address", async () => {
  const { answer } = await begun();
  const attributes =
    attribute(ATTRIBUTE, "ada") +
    attribute("displayName", "Ada L. &amp; Co") +
    attribute("mail", "ada@lab.org");
  const { identity } = await answer({ attributes });
  assert.deepEqual(identity, { id: "ada", profile: { name: "Ada L. & Co", email: "ada@lab.org" } });
});

test("the request asks for an answer by POST at our address, under a name of its own", async () => {
  const { url, request, said } = await begun();
  assert.equal(url.origin + url.pathname, "https://idp.example/sso");
  assert.equal(url.searchParams.get("RelayState"), "state");
  assert.match(request, /ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/);
  assert.ok(request.includes(`AssertionConsumerServiceURL="${said.acsUrl}"`));
  assert.match(said.requestId, /^_[\w-]{43}$/);
  assert.notEqual((await begun()).said.requestId, said.requestId);
});

test("a Response that is signed as well must be signed right", async () => {
  const { post, said } = await begun();
  const both = signed(signed(responseOf(said, assertionOf(said))), { element: "Response" });
  assert.equal((await post(both)).identity.id, "ada");
  const wrong = signed(signed(responseOf(said, assertionOf(said))), { element: "Response", key: OTHER_KEY });
  await refused(post(wrong), /signature/);
});

test("wantMessagesSigned: the Response must be signed, too", async () => {
  const { answer, post, said } = await begun(
    authenticator((given) => ({ ...given, security: { wantMessagesSigned: true } })),
  );
  await refused(answer(), /wantMessagesSigned/);
  const both = signed(signed(responseOf(said, assertionOf(said))), { element: "Response" });
  assert.equal((await post(both)).identity.id, "ada");
});

test("each of several certificates is trusted", async () => {
  const { answer } = await begun(
    authenticator((given) => ({
      ...given,
      idp: { ...given.idp, x509certMulti: { signing: [OTHER_CERT, IDP_CERT] } },
    })),
  );
  assert.equal((await answer({ assertionId: newId() })).identity.id, "ada");
  assert.equal((await answer({}, { key: OTHER_KEY })).identity.id, "ada");
});

for (const [words, attributes, log] of [
  ["missing", attribute("cn", "Ada"), /no attribute "uid".*it has "cn"/],
  ["without a value", attribute(ATTRIBUTE), /no attribute "uid"/],
  ["of several values", attribute(ATTRIBUTE, "ada", "root"), /more than one value/],
  ["there twice", attribute(ATTRIBUTE, "ada") + attribute(ATTRIBUTE, "root"), /more than one value/],
  ["blank", attribute(ATTRIBUTE, " "), /is blank/],
  ["too long", attribute(ATTRIBUTE, "a".repeat(256)), /longer than 255/],
  ["with a line break", attribute(ATTRIBUTE, "ada\nroot"), /control characters/],
  ["with a blank at its end", attribute(ATTRIBUTE, "ada "), /blanks/],
  ["XML", attribute(ATTRIBUTE, "<saml:NameID>ada</saml:NameID>"), /no attribute "uid"/],
] as const) {
  test(`an attribute ${words} is refused`, async () => {
    const { answer } = await begun();
    await refused(answer({ attributes }), log);
  });
}

test("attributes that the access policy needs are kept, others are not", async () => {
  const { answer } = await begun(authenticator(undefined, ["groups"]));
  const attributes =
    attribute(ATTRIBUTE, "ada") + attribute("groups", "beam", "staff") + attribute("phone", "1");
  assert.deepEqual((await answer({ attributes })).identity.state, { groups: ["beam", "staff"] });
});

const MINUTE = 60_000;
for (const [words, more, log] of [
  ["expired", { notOnOrAfter: -MINUTE }, /expired \(NotOnOrAfter\)/],
  ["with an expired confirmation", { subjectNotOnOrAfter: -MINUTE }, /expired \(NotOnOrAfter\)/],
  ["not valid yet", { notBefore: MINUTE + 1 }, /not valid yet/],
  ["issued in the future", { issued: MINUTE + 1 }, /in the future/],
  ["older than five minutes", { issued: -6 * MINUTE, notOnOrAfter: 60 * MINUTE }, /older than five minutes/],
] as const) {
  test(`an assertion ${words} is refused; clocks may differ by a minute`, async () => {
    const { answer, said } = await begun();
    const at = (by: number) =>
      Object.fromEntries(Object.entries(more).map(([name, offset]) => [name, said.now + offset + by]));
    await refused(answer(at(0)), log);
    const nearer = (Object.values(more)[0] ?? 0) < 0 ? 1 : -1;
    assert.equal((await answer(at(nearer))).identity.id, "ada");
  });
}

test("an encrypted assertion is decrypted, and then checked like a plain one", async () => {
  const options = authenticator((given) => ({
    ...given,
    sp: { ...given.sp, x509cert: SP_CERT, privateKey: SP_KEY },
    security: { wantAssertionsEncrypted: true },
  }));
  const { post, answer, said } = await begun(options);
  const rsa = new X509Certificate(SP_CERT).publicKey.export({ type: "spki", format: "pem" }) as string;
  const sealed = (assertion: string, encryptionAlgorithm = "http://www.w3.org/2009/xmlenc11#aes256-gcm") =>
    new Promise<string>((resolve, reject) => {
      const how = {
        rsa_pub: rsa,
        pem: SP_CERT,
        encryptionAlgorithm,
        keyEncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
        warnInsecureAlgorithm: false,
      };
      encrypt(assertion, how as never, (error, result) => {
        if (error) reject(error);
        else {
          resolve(
            `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${result}</saml:EncryptedAssertion>`,
          );
        }
      });
    });
  const right = signed(assertionOf(said));
  assert.equal((await post(responseOf(said, await sealed(right)))).identity.id, "ada");
  await refused(answer(), /not encrypted/);
  await refused(post(responseOf(said, await sealed(assertionOf(said)))), /assertion is not signed/);
  await refused(post(responseOf(said, await sealed(right.replace(">ada<", ">root<")))), /signature/);
  await refused(post(responseOf(said, await sealed("<a/>"))), /no assertion/);
  await refused(post(responseOf(said, await sealed(`<!DOCTYPE a>${right}`))), /DOCTYPE/);
  const weak = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
  await refused(post(responseOf(said, await sealed(right, weak))), /aes256-cbc/);
  const other = { ...said, subjectInResponseTo: newId() };
  await refused(post(responseOf(said, await sealed(signed(assertionOf(other))))), /another request/);
});

test("an encrypted assertion without a key of ours is refused by name", async () => {
  const { post, said } = await begun();
  const none = `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><a/></saml:EncryptedAssertion>`;
  await refused(post(responseOf(said, none)), /sp\.privateKey is missing/);
});

test("authnRequestsSigned: the request's signature fits our certificate", async () => {
  const { url } = await begun(
    authenticator((given) => ({
      ...given,
      sp: { ...given.sp, x509cert: SP_CERT, privateKey: SP_KEY },
      security: { authnRequestsSigned: true },
    })),
  );
  const [text = "", signature = ""] = url.search.slice(1).split("&Signature=");
  assert.match(text, /&SigAlg=http.*rsa-sha256$/);
  const verify = createVerify("sha256").update(text);
  assert.ok(verify.verify(SP_CERT, decodeURIComponent(signature), "base64"));
});

test("the provider's refusal ends the login with its own words in the log", async () => {
  const { post, said } = await begun();
  const status =
    '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode><samlp:StatusMessage>no luck</samlp:StatusMessage>';
  await refused(
    post(responseOf({ ...said, status }, "")),
    /"Responder", "AuthnFailed", "no luck"/,
    "login_refused",
  );
});

test("metadata names our address and wants signed assertions", async () => {
  const { ours } = authenticator();
  const metadata = await ours.metadata();
  assert.match(metadata, /WantAssertionsSigned="true"/);
  assert.match(metadata, /Location="https:\/\/tiled\.example\/api\/v1\/auth\/provider\/lab\/code"/);
  assert.doesNotMatch(metadata, /KeyDescriptor/);
});

test("base64 may have line breaks", async () => {
  const { receive, said } = await begun();
  const xml = signed(responseOf(said, assertionOf(said)));
  assert.equal((await receive(encoded(xml).replace(/.{76}/g, "$&\r\n"))).identity.id, "ada");
});
