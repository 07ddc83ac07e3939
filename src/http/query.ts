/**
 * The query of a URL, without giving up a byte of what is not meant.
 */

/** The URL without the parameters of these names, however they are encoded; the rest stays as it came. */
export function withoutParameters(url: string, names: ReadonlySet<string>): string {
  const start = url.indexOf("?");
  if (start < 0) return url;
  const parts = url.slice(start + 1).split("&");
  const kept = parts.filter((part) => !names.has(nameOf(part)));
  if (kept.length === parts.length) return url;
  return kept.length === 0 ? url.slice(0, start) : `${url.slice(0, start)}?${kept.join("&")}`;
}

function nameOf(part: string): string {
  const end = part.indexOf("=");
  const name = end < 0 ? part : part.slice(0, end);
  if (!/[%+]/.test(name)) return name;
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
