/**
 * A real SimpleSAMLphp of Debian as an identity provider, with a configuration folder of its own and PHP's own web server. It
 * signs assertions and responses, as it does without a setting.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Cleanup, temporaryFolder } from "./folders.ts";
import { IDP_CERT, IDP_KEY } from "./saml-keys.ts";

const HOME = "/usr/share/simplesamlphp";
const PATIENCE_MS = 60_000;

/** Why tests with it are skipped; false where they are not. */
export function withoutSimpleSamlPhp(): string | false {
  if (spawnSync("php", ["-v"]).status === 0 && existsSync(join(HOME, "www"))) return false;
  const reason = "SimpleSAMLphp is missing: apt-get install simplesamlphp php-cli php-xml";
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

export interface RealSaml {
  readonly entityId: string;
  readonly ssoUrl: string;
}

/** `acsUrl`: of our server, whose name there is `sp`. The person is ada, with the password ada-secret. */
export async function startSimpleSamlPhp(
  cleanup: Cleanup,
  port: number,
  { acsUrl, sp }: { readonly acsUrl: string; readonly sp: string },
): Promise<RealSaml> {
  const folder = await temporaryFolder(cleanup);
  for (const name of ["cert", "metadata", "data", "log", "tmp"]) await mkdir(join(folder, name));
  const base = `http://127.0.0.1:${port}/`;
  const files = {
    "cert/server.crt": IDP_CERT,
    "cert/server.pem": IDP_KEY,
    "config.php": `<?php $config = [
      'baseurlpath' => '${base}', 'certdir' => '${folder}/cert/', 'loggingdir' => '${folder}/log/',
      'datadir' => '${folder}/data/', 'tempdir' => '${folder}/tmp', 'metadatadir' => '${folder}/metadata',
      'secretsalt' => 'of tests only, and of no use elsewhere', 'auth.adminpassword' => 'of tests only 1',
      'timezone' => 'UTC', 'logging.handler' => 'file', 'enable.saml20-idp' => true, 'store.type' => 'phpsession',
      'session.cookie.secure' => false, 'session.phpsession.savepath' => '${folder}/tmp', 'language.default' => 'en',
      'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
      'metadata.sources' => [['type' => 'flatfile']], 'production' => true, 'showerrors' => true,
    ];`,
    "authsources.php": `<?php $config = ['people' => ['exampleauth:UserPass',
      'ada:ada-secret' => ['uid' => ['ada'], 'displayName' => ['Ada L.'], 'mail' => ['ada@lab.org']]]];`,
    "metadata/saml20-idp-hosted.php": `<?php $metadata['${base}idp'] = ['host' => '__DEFAULT__',
      'privatekey' => 'server.pem', 'certificate' => 'server.crt', 'auth' => 'people',
      'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic'];`,
    "metadata/saml20-sp-remote.php": `<?php $metadata['${sp}'] = ['AssertionConsumerService' => '${acsUrl}'];`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const child = spawn("php", ["-S", `127.0.0.1:${port}`, "-t", join(HOME, "www")], {
    env: { ...process.env, SIMPLESAMLPHP_CONFIG_DIR: folder },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  cleanup(async () => {
    kill();
    await ended;
    process.off("exit", kill);
  });
  const metadata = `${base}saml2/idp/metadata.php`;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(metadata).catch(() => null);
    if (answer?.ok === true) break;
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`SimpleSAMLphp does not answer: ${await answer?.text()}`);
    }
    await delay(100);
  }
  return { entityId: `${base}idp`, ssoUrl: `${base}saml2/idp/SSOService.php` };
}
