/** The text of a `Host` field: whether it can stand in a URL, and the name in it. */

const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Whether it can stand in a URL. Some texts of this form cannot, such as `a:99999` or `1.2.3.256`. */
export function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`http://${text}`);
}

const MOST_REMEMBERED = 256;
const LONGEST_REMEMBERED = 255;

/** `isHost`, remembering what was found to be one, since nearly all requests name the same few. */
export function rememberedHosts(): (text: string) => boolean {
  const known = new Set<string>();
  return (text) => {
    if (known.has(text)) return true;
    if (!isHost(text)) return false;
    if (known.size < MOST_REMEMBERED && text.length <= LONGEST_REMEMBERED) known.add(text);
    return true;
  };
}

/** The name in lower case, without port, final dot and brackets. */
export function nameOf(host: string): string {
  return host
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
}
