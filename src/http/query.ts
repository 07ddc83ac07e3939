/** The query of a URL: single parameters, and the URL without some of them, the rest byte for byte as it came. */
import type { FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";

/** The API key in the URL, or null. */
export function keyInUrl(request: FastifyRequest): string | null {
  return parameter(request, "api_key");
}

/** Null for a parameter that is missing or empty. Fails with `bad_request` for one that is given twice. */
export function parameter(request: FastifyRequest, name: string): string | null {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  if (value === undefined || value === "") return null;
  if (typeof value === "string") return value;
  throw new Failure("bad_request", { detail: `The parameter ${name} is given twice.` });
}

/** The request's query as it came, with its question mark; "" without one. */
export function queryOf(request: FastifyRequest): string {
  const start = request.url.indexOf("?");
  return start === -1 ? "" : request.url.slice(start);
}

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
