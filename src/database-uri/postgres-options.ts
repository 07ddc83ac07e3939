/**
 * The parameter `options` of a PostgreSQL URI: the settings in it, as the server's own command line has them. They are sent
 * as they are; read here so that what cannot work is named, and what a pooler dropped is found out.
 */

export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** Our own transactions rely on it. */
const OURS = ["default_transaction_isolation"];

/** The settings, or what is wrong as a sentence's end. */
export function parseOptions(text: string): readonly Setting[] | string {
  const words = split(text);
  const settings: Setting[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const setting = word === "-c" ? words[++index] : /^(?:-c|--)(.+)$/s.exec(word)?.[1];
    const [, name, value] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(setting ?? "") ?? [];
    if (name === undefined || value === undefined)
      return "settings look like this: -csearch_path=auth, or -c search_path=auth, percent-encoded as options=-csearch_path%3Dauth";
    const plain = name.replaceAll("-", "_").toLowerCase();
    if (OURS.includes(plain)) return `${plain} cannot be set: this server chooses it for its transactions`;
    settings.push({ name: plain, value });
  }
  return settings;
}

/** At spaces; a backslash takes the next character as it is. */
function split(text: string): string[] {
  return (text.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((word) => word.replaceAll(/\\(.)/gs, "$1"));
}
