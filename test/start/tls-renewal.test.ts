/** A certificate that is replaced while the server runs, and one that cannot be used. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "node:tls";
import { pino } from "pino";
import { configFromObject } from "../../src/config/load.ts";
import { type RunningServer, startServer } from "../../src/server.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";
import { NEXT_TLS_CERT, NEXT_TLS_KEY, TLS_CERT, TLS_KEY } from "../support/tls.ts";

const folder = await temporaryFolder(after);
const cert = join(folder, "cert.pem");
const key = join(folder, "key.pem");

/** As a renewal does it: the old file is there until the new one is. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function serialOf({ url }: RunningServer): Promise<string> {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

const serial = (pem: string) => new X509Certificate(pem).serialNumber;

test("a certificate is taken when its files change; one that cannot be used leaves the old in force", async (t) => {
  await writeFile(cert, TLS_CERT);
  await writeFile(key, TLS_KEY);
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const config = configFromObject(
    {
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
      server: { port: 0, tls: { cert, key } },
    },
    {},
  );
  const server = await startServer(config, { log });
  t.after(() => server.stop());
  const said = (text: string) => eventually(20, async () => lines.some((line) => line.includes(text)));
  assert.equal(await serialOf(server), serial(TLS_CERT));

  await replace(cert, "no certificate");
  assert.ok(await said("not a certificate in PEM form"), lines.join(""));
  assert.ok(await said("The certificate from before stays in force."));
  for (const line of lines) assert.doesNotMatch(JSON.parse(line).msg, /\n/, "one line, on a terminal too");
  assert.equal(await serialOf(server), serial(TLS_CERT));

  await replace(cert, NEXT_TLS_CERT);
  assert.ok(await said("does not belong to the certificate"), lines.join(""));
  assert.equal(await serialOf(server), serial(TLS_CERT));

  await replace(key, NEXT_TLS_KEY);
  assert.ok(await said("New connections get the certificate"), lines.join(""));
  assert.equal(await serialOf(server), serial(NEXT_TLS_CERT));

  // Nothing has changed: nothing is said but that it was asked for.
  const before = lines.length;
  await server.reread();
  assert.equal(lines.length, before + 1);
  assert.match(lines.at(-1) ?? "", /SIGHUP: reading the certificate again/);
});
