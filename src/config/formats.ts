/**
 * The formats of texts in a configuration: what the schema's `format` words mean. Each says what is allowed and, where
 * it helps, what is wrong; neither ever repeats the text, which may hold a password.
 */
import { isIP } from "node:net";
import { isMistyped } from "../store/uri.ts";
import { DURATION_FORMS, LONGEST_WINDOW, seconds, WINDOW_FORMS } from "./durations.ts";

export interface TextFormat {
  /** Completes "allowed: …". */
  readonly allowed: string;
  /** A type whose values the sentence speaks of, too. */
  readonly covers?: "number";
  /** Undefined where the text is right, else what was found. */
  check(text: string): string | undefined;
}

function matching(pattern: RegExp, allowed: string): TextFormat {
  return { allowed, check: (text) => (pattern.test(text) ? undefined : found(text)) };
}

function found(text: string): string {
  return text === "" ? "found an empty text" : "found a text of another form";
}

/** An address, or a block of them in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3). */
function isAddressBlock(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** The single addresses of a text with commas, as uvicorn writes them. */
export function splitAddresses(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function checkWindow(text: string): string | undefined {
  const read = seconds(text);
  if (read === undefined) return found(text);
  return read > LONGEST_WINDOW ? "found more than 24 days" : undefined;
}

function checkAddresses(text: string): string | undefined {
  const parts = splitAddresses(text);
  const wrong = parts.findIndex((part) => part !== "*" && !isAddressBlock(part));
  if (wrong < 0) return undefined;
  return parts.length > 1 ? `found something else as number ${wrong + 1}` : "found a text of another form";
}

function checkWebAddress(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return found(text);
  }
  if (!/^https?:\/\//i.test(text)) return "found another scheme";
  if (url.username !== "" || url.password !== "") return "found a username or a password in it";
  if (text.includes("?") || text.includes("#")) return "found a query or a fragment in it";
  return /\s/.test(text) ? "found a space in it" : undefined;
}

const DATABASE_SCHEMES = ["sqlite", "sqlite+aiosqlite", "postgresql", "postgresql+asyncpg"];

function checkDatabase(text: string): string | undefined {
  if (text.trim() === "") return "found an empty text";
  if (/\p{Cc}/u.test(text)) return "found a control character in it";
  if (isMistyped(text)) return "found neither a URI nor a path";
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]{0,30}):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return text.includes("://") ? "found another scheme" : undefined;
  if (DATABASE_SCHEMES.includes(scheme)) return undefined;
  return `found the scheme '${scheme}'${scheme === "postgres" ? "; did you mean 'postgresql'?" : ""}`;
}

function checkRootPath(text: string): string | undefined {
  if (!/^[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(text))
    return "found characters that a path in a URL cannot have";
  return /(?:^|\/)\.{1,2}(?:\/|$)|\/\//.test(text.replace(/^\/+|\/+$/g, ""))
    ? "found '.', '..' or '//' in it"
    : undefined;
}

export const FORMATS: Readonly<Record<string, TextFormat>> = {
  "tiled-duration": {
    allowed: DURATION_FORMS,
    covers: "number",
    check: (text) => (seconds(text) === undefined ? found(text) : undefined),
  },
  "throttle-window": { allowed: WINDOW_FORMS, covers: "number", check: checkWindow },
  "provider-name": matching(
    /^[A-Za-z0-9._~-]{1,255}$/,
    "letters, digits and . _ ~ - (it becomes part of URLs), at most 255",
  ),
  "object-name": matching(
    /^[^\s:][^\p{Cc}]*:[^\s:.]+$/u,
    "a name like 'package.module:Name' or './file.js:Name'",
  ),
  alphanumeric: matching(
    /^[A-Za-z0-9]+$/,
    "letters and digits only, at least one (other characters can be mangled in a URL)",
  ),
  "not-empty": matching(/\S/, "a text that is not empty"),
  "host-name": matching(/^[A-Za-z0-9_.:%-]{1,253}$/, "an address or a host's name, without scheme and port"),
  "host-port": matching(
    /^(?:[A-Za-z0-9_.~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/,
    "a host's name, perhaps with a port ('data.example.org:8443'), without a scheme",
  ),
  addresses: { allowed: "IP addresses or CIDR blocks ('10.0.0.0/8'), or '*' for all", check: checkAddresses },
  address: {
    allowed: "an IP address or a CIDR block ('10.0.0.0/8'), or '*' for all",
    check: (text) => (text === "*" || isAddressBlock(text) ? undefined : found(text)),
  },
  "web-address": {
    allowed: "an http:// or https:// URL without username, query and fragment",
    check: checkWebAddress,
  },
  "database-uri": {
    allowed:
      "sqlite:///relative.db, sqlite:////absolute.db, a path, or postgresql://user:password@host:port/database",
    check: checkDatabase,
  },
  "root-path": { allowed: "a path like '/tiled'", check: checkRootPath },
  "tree-path": matching(/^[^\p{Cc}?#]*$/u, "a path like '/' or '/raw/2024'"),
};
