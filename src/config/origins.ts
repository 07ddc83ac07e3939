/**
 * The format of an exact origin, as browsers send it (RFC 6454, section 6.2): scheme, host and port. `https`, or `http` on
 * this machine.
 */
import { isLoopbackName } from "../lib/address.ts";
import { OTHER_FORM, otherForm, type TextFormat } from "../yaml/formats.ts";

export const WEB_ORIGIN: TextFormat = {
  what: "an origin",
  use: "one like 'https://viewer.example.org' or 'https://viewer.example.org:8443', without a slash at the end",
  check: (text) => {
    // A URL's parser drops tabs and line breaks, and takes other characters for a slash.
    if (!/^[!-~]+$/.test(text) || text.includes("\\")) return otherForm(text);
    if (text.includes("*")) return "must not contain a wildcard: each origin is listed";
    const url = URL.parse(text);
    if (url === null) return OTHER_FORM;
    if (url.username !== "" || url.password !== "") return "must not contain a user name or a password";
    if (!/^https?:$/.test(url.protocol)) return "must begin with https:// or http://";
    if (url.protocol === "http:" && !isLoopbackName(url.hostname))
      return "must begin with https:// on any host but this machine";
    if (url.origin === text) return undefined;
    return url.pathname === "/" && url.search === "" && url.hash === "" && !/[/?#]$/.test(text)
      ? `must be written as browsers send it: '${url.origin}'`
      : "must end after the host name or the port";
  },
};
