/**
 * The parameter `options` of a PostgreSQL URI, which holds settings in the form of the server's command line. They are sent
 * unchanged; parsing them here lets the server reject bad ones and detect settings that a pooler dropped.
 */

/** One setting of the server, e.g. `search_path`. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** Settings that our own transactions rely on. */
const OURS = ["default_transaction_isolation"];

/** The settings, or a message without its final period. Names are in lower case, with underscores. */
export function parseOptions(text: string): readonly Setting[] | string {
  const words = split(text);
  const settings: Setting[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const setting = word === "-c" ? words[++index] : /^(?:-c|--)(.+)$/s.exec(word)?.[1];
    const [, name, value] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(setting ?? "") ?? [];
    if (name === undefined || value === undefined)
      return "write settings as -csearch_path=auth or -c search_path=auth, percent-encoded: options=-csearch_path%3Dauth";
    const plain = name.replaceAll("-", "_").toLowerCase();
    if (OURS.includes(plain))
      return `${plain} cannot be set, because this server sets it for its transactions`;
    settings.push({ name: plain, value });
  }
  return settings;
}

/** Splits at spaces; a backslash escapes the next character. */
function split(text: string): string[] {
  return (text.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((word) => word.replaceAll(/\\(.)/gs, "$1"));
}
