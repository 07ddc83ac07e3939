import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { certificateWarning, checkPair, readCert, readKey, type Tls } from "../src/tls.ts";
import { temporaryFolder } from "./support/folders.ts";
import { TLS_CERT, TLS_KEY } from "./support/tls.ts";

const folder = await temporaryFolder(after);

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const cert = await file("cert.pem", TLS_CERT);
const key = await file("key.pem", TLS_KEY);

async function readTls(files: { readonly cert: string; readonly key: string }): Promise<Tls> {
  const tls = { cert: await readCert(files.cert), key: await readKey(files.key) };
  checkPair(tls, files);
  return tls;
}

test("a certificate and its key are read", async () => {
  const tls = await readTls({ cert, key });
  assert.deepEqual([String(tls.cert), String(tls.key)], [TLS_CERT, TLS_KEY]);
});

test("each mistake is named with the file, and stops the start", async () => {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = await file("other.pem", pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const locked = await file(
    "locked.pem",
    pair.privateKey
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" })
      .toString(),
  );
  const gone = join(folder, "gone.pem");
  for (const [files, message] of [
    [{ cert: gone, key }, /^there is no file \/.*gone\.pem\. Correct the path, or put the file there\.$/],
    [{ cert, key: gone }, /^there is no file \/.*gone\.pem\. Correct the path, or put the file there\.$/],
    [{ cert: key, key }, /^\/.*key\.pem is not a certificate/],
    [{ cert, key: cert }, /^\/.*cert\.pem is not a private key/],
    [
      { cert, key: locked },
      /^\/.*locked\.pem is not a private key in PEM form without a passphrase .* openssl pkey/,
    ],
    [{ cert, key: other }, /the private key .*other\.pem does not belong to the certificate .*cert\.pem/],
  ] as const) {
    await assert.rejects(readTls(files), { name: "OperatorError", exitCode: 1, message });
  }
});

test("a relative path says where it starts, and a folder is no file", async () => {
  await assert.rejects(readCert("gone/cert.pem"), {
    message:
      /gone\/cert\.pem\. Correct the path, or put the file there: gone\/cert\.pem is relative to the folder in which the server was started\./,
  });
  await assert.rejects(readKey(folder), { message: `${folder} is a folder, not a file.` });
});

test("a certificate that is over, or not valid yet, is warned of", () => {
  const valid = Buffer.from(TLS_CERT);
  const { validFromDate, validToDate } = new X509Certificate(valid);
  const middle = (validFromDate.getTime() + validToDate.getTime()) / 2;
  assert.equal(certificateWarning(valid, middle), undefined);
  assert.match(certificateWarning(valid, validToDate.getTime() + 1) ?? "", /expired on \d{4}-\d\d-\d\d/);
  assert.match(certificateWarning(valid, validFromDate.getTime() - 1) ?? "", /not valid before \d{4}/);
});
