/** What a running server reads again on SIGHUP. */
import type { Logger } from "pino";
import type { CaveReload } from "./cave-reload.ts";
import type { TlsRenewal } from "./tls-renewal.ts";

interface Rereading {
  readonly renewal: TlsRenewal | null;
  readonly reload: CaveReload | null;
}

export async function rereadAll({ renewal, reload }: Rereading, log: Logger): Promise<void> {
  const found = [renewal && "the certificate", reload && "the rules of CAVE"].filter((what) => what !== null);
  const what = found.length === 0 ? "no certificate to read again" : `reading ${found.join(" and ")} again`;
  const rest = reload === null ? "A changed configuration needs" : "Other changes of the configuration need";
  log.info(`SIGHUP: ${what}. ${rest} a restart.`);
  await Promise.all([renewal?.read(), reload?.read()]);
}
