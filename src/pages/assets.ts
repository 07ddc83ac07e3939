/**
 * Files that the pages link to: the stylesheet and the icon, kept as strings in the program, so that nothing is read
 * from disk. Their path holds a digest of the content, so that browsers may cache them indefinitely.
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

/** `name` and `extension` become part of a path: pass only our own or checked values. */
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
