/**
 * Files that the pages link to: the stylesheet and the icon, as text in the program so that nothing has to be found
 * on disk. The digest of the content is in the path, so that a browser may keep them for good.
 */
import { sha256 } from "../lib/secrets.ts";
import { ICON } from "./icon.ts";
import { STYLE } from "./style.ts";
import { ACCOUNT_STYLE } from "./style-account.ts";
import { FORM_STYLE } from "./style-forms.ts";

export interface Asset {
  /** Below the server's root, e.g. `/assets/style.0123456789ab.css`. */
  readonly path: string;
  readonly mediaType: string;
  readonly content: string | Buffer;
}

/** `name` and `extension` are ours or checked by who reads the file: they go into a path. */
export function asset(name: string, extension: string, mediaType: string, content: string | Buffer): Asset {
  return { path: `/assets/${name}.${sha256(content).slice(0, 12)}.${extension}`, mediaType, content };
}

export const STYLE_ASSET = asset(
  "style",
  "css",
  "text/css; charset=utf-8",
  STYLE + FORM_STYLE + ACCOUNT_STYLE,
);
export const ICON_ASSET = asset("icon", "svg", "image/svg+xml", ICON);
