/**
 * Checks the form of documents from a server that may be broken, hostile or another program. Only fields that programs
 * depend on are checked, so that older and newer servers are accepted. Types are in `wire.ts`.
 */
import { isToken } from "./store.ts";
import type { ApiKey, NewApiKey, Principal, Provider, ServerInfo, Tokens } from "./wire.ts";

type Check<T> = (value: unknown) => value is T;

export function isAbout(value: unknown): value is ServerInfo {
  const { authentication } = fieldsOf(value);
  return isList(fieldsOf(authentication)["providers"], isProvider);
}

/** The minimum of a token answer. */
export function isLogin(value: unknown): value is Tokens {
  const { access_token, refresh_token, identity, principal } = fieldsOf(value);
  return (
    isToken(access_token) &&
    isToken(refresh_token) &&
    isNullOr(identity, isIdentity) &&
    isNullOr(principal, isText)
  );
}

/** Null for an anonymous caller. */
export function isCaller(value: unknown): value is Principal | null {
  return value === null || isPrincipal(value);
}

export function isPrincipal(value: unknown): value is Principal {
  const { uuid, identities, api_keys } = fieldsOf(value);
  return isText(uuid) && isNullOr(identities, isIdentities) && isNullOr(api_keys, isKeys);
}

export function isPrincipals(value: unknown): value is Principal[] {
  return isList(value, isPrincipal);
}

export function isKey(value: unknown): value is ApiKey {
  const { first_eight, scopes, access_tags, note, expiration_time, latest_activity } = fieldsOf(value);
  const texts = [note, expiration_time, latest_activity];
  return (
    isText(first_eight) &&
    isTexts(scopes) &&
    isNullOr(access_tags, isTexts) &&
    texts.every((text) => isNullOr(text, isText))
  );
}

export function isNewKey(value: unknown): value is NewApiKey {
  return isKey(value) && isText(fieldsOf(value)["secret"]);
}

function isProvider(value: unknown): value is Provider {
  const { provider, mode, links, confirmation_message, extra_scopes } = fieldsOf(value);
  return (
    isText(provider) &&
    isText(mode) &&
    typeof links === "object" &&
    links !== null &&
    isNullOr(confirmation_message, isText) &&
    isNullOr(extra_scopes, isTexts)
  );
}

function isIdentity(value: unknown): value is { readonly id: string; readonly provider: string } {
  const { id, provider } = fieldsOf(value);
  return isText(id) && isNullOr(provider, isText);
}

function isIdentities(value: unknown): value is Principal["identities"] {
  return isList(value, isIdentity);
}

function isKeys(value: unknown): value is readonly ApiKey[] {
  return isList(value, isKey);
}

function isTexts(value: unknown): value is readonly string[] {
  return isList(value, isText);
}

function isList<T>(value: unknown, check: Check<T>): value is T[] {
  return Array.isArray(value) && value.every(check);
}

function isNullOr<T>(value: unknown, check: Check<T>): value is T | null | undefined {
  return value === undefined || value === null || check(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Readonly<Record<string, unknown>>;
}
