/**
 * The formats of text in a configuration: addresses, hosts, URLs, paths. General formats are in `yaml/formats.ts`.
 */
import { isIP } from "node:net";
import { isMistyped } from "../database-uri/database-uri.ts";
import { parseUuid } from "../lib/uuid.ts";
import { BASIC_FORMATS, EMPTY, type Formats, matching, OTHER_FORM, otherForm } from "../yaml/formats.ts";
import { WEB_ORIGIN } from "./origins.ts";

/** An address, or a block of them in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3). */
function isAddressBlock(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** The addresses of a text with commas, as uvicorn writes them. */
export function splitAddresses(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** A name must not look like a mistyped address: `300.1.1.1`, `0.0.0.0:8000`. */
function isHost(text: string): boolean {
  const address = text.split("%", 1)[0] ?? "";
  return isIP(address) > 0 || (/^[A-Za-z0-9_.-]{1,253}$/.test(text) && !/^[\d.]+$/.test(text));
}

function checkAddresses(text: string): string | undefined {
  const parts = splitAddresses(text);
  const wrong = parts.findIndex((part) => part !== "*" && !isAddressBlock(part));
  if (wrong < 0) return undefined;
  return parts.length > 1
    ? `must contain IP addresses only; number ${wrong + 1} of the list is not one`
    : otherForm(text);
}

function checkWebAddress(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return otherForm(text);
  }
  if (!/^https?:\/\//i.test(text)) return "must begin with https:// or http://";
  if (url.username !== "" || url.password !== "") return "must not contain a user name or a password";
  if (text.includes("?") || text.includes("#")) return "must not contain a query or a fragment";
  return /\s/.test(text) ? "must not contain a space" : undefined;
}

const DATABASE_SCHEMES = [
  "sqlite",
  "sqlite+aiosqlite",
  "sqlite+pysqlite",
  "postgresql",
  "postgresql+asyncpg",
  "postgresql+psycopg",
  "postgresql+psycopg_async",
  "postgresql+psycopg2",
];

function checkDatabase(text: string): string | undefined {
  if (text.trim() === "") return EMPTY;
  if (/\p{Cc}/u.test(text)) return "must not contain a control character";
  if (isMistyped(text)) return OTHER_FORM;
  const scheme = /^([A-Za-z][A-Za-z0-9+._-]{0,30}):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return text.includes("://") ? OTHER_FORM : undefined;
  if (DATABASE_SCHEMES.includes(scheme)) return undefined;
  return scheme === "postgres"
    ? "must begin with 'postgresql://', not 'postgres://'"
    : `must be SQLite or PostgreSQL, not '${scheme}'`;
}

function checkRootPath(text: string): string | undefined {
  if (!/^[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(text))
    return "must not contain characters that a URL's path cannot have";
  return /(?:^|\/)\.{1,2}(?:\/|$)|\/\//.test(text.replace(/^\/+|\/+$/g, ""))
    ? "must not contain '.', '..' or '//'"
    : undefined;
}

const NAME = /^(?=.*\S)[^\p{Cc}]{1,255}$/u;

export const FORMATS = {
  ...BASIC_FORMATS,
  "provider-name": matching(
    /^[A-Za-z0-9._~-]{1,255}$/,
    "a name that fits into a URL",
    "letters, digits and . _ ~ -, at most 255",
  ),
  alphanumeric: matching(
    /^[A-Za-z0-9]+$/,
    "letters and digits only",
    "a key like that of: openssl rand -hex 32 (other characters can be mangled in a URL)",
  ),
  "host-name": {
    what: "an address to listen on",
    use: "an IP address or a host name, without scheme and port",
    check: (text) => (isHost(text) ? undefined : otherForm(text)),
  },
  "host-port": matching(
    /^(?:[A-Za-z0-9_.~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/,
    "a host name",
    "'data.example.org' or 'data.example.org:8443', without a scheme",
  ),
  addresses: {
    what: "a list of addresses",
    use: "IP addresses or CIDR blocks ('10.0.0.0/8') separated by commas, or '*' for all",
    check: checkAddresses,
  },
  address: {
    what: "an address",
    use: "an IP address or a CIDR block ('10.0.0.0/8'), or '*' for all",
    check: (text) => (text === "*" || isAddressBlock(text) ? undefined : otherForm(text)),
  },
  "web-address": {
    what: "a URL",
    use: "one like 'https://tiled.example.org', without user name, query and fragment",
    check: checkWebAddress,
  },
  "database-uri": {
    what: "a database URI",
    use: "sqlite:////absolute/path.db, sqlite:///relative/path.db, a path, or postgresql://user:password@host:port/database",
    check: checkDatabase,
  },
  "web-origin": WEB_ORIGIN,
  "cave-name": matching(NAME, "a name", "1 to 255 characters, without control characters"),
  "identity-id": matching(NAME, "a person's ID", "1 to 255 characters, without control characters"),
  uuid: {
    what: "a UUID",
    use: "that of the service principal, as 'tiled admin principals' lists it",
    check: (text) => (parseUuid(text) === undefined ? otherForm(text) : undefined),
  },
  "root-path": { what: "a path", use: "one like '/tiled'", check: checkRootPath },
  "tree-path": matching(/^[^\p{Cc}?#]*$/u, "a path", "one like '/' or '/raw/2024'"),
} satisfies Formats;
