/** The text of a `Host` field: whether it can stand in a URL, and the name in it. */

const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Whether it can stand in a URL. Some texts of this form cannot, such as `a:99999` or `1.2.3.256`. */
export function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`http://${text}`);
}

/** The name in lower case, without port, final dot and brackets. */
export function nameOf(host: string): string {
  return host
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
}
