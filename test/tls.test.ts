import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { readTls } from "../src/tls.ts";
import { temporaryFolder } from "./support/process.ts";
import { TLS_CERT, TLS_KEY } from "./support/tls.ts";

const folder = await temporaryFolder(after);

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const cert = await file("cert.pem", TLS_CERT);
const key = await file("key.pem", TLS_KEY);

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
    [{ cert: gone, key }, /server\.tls\.cert: the file .*gone\.pem cannot be read \(ENOENT\)/],
    [{ cert, key: gone }, /server\.tls\.key: the file .*gone\.pem cannot be read \(ENOENT\)/],
    [{ cert: key, key }, /server\.tls\.cert: .*key\.pem is not a certificate/],
    [{ cert, key: cert }, /server\.tls\.key: .*cert\.pem is not a private key/],
    [
      { cert, key: locked },
      /server\.tls\.key: .*locked\.pem is not a private key in PEM form without a passphrase/,
    ],
    [{ cert, key: other }, /the key .*other\.pem does not belong to the certificate .*cert\.pem/],
  ] as const) {
    await assert.rejects(readTls(files), { name: "OperatorError", exitCode: 1, message });
  }
});
