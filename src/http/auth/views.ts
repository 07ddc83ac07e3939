/** Turns the domain's values into the wire's; `http/answer.ts` encodes the result. */
import type { KeyActivity } from "../../domain/callers/key-activity.ts";
import type { ApiKey, PrincipalDocument } from "../../domain/model/entities.ts";

export function apiKeyView(key: ApiKey, latestActivity: Date | null = key.latestActivity) {
  return {
    first_eight: key.firstEight,
    expiration_time: key.expirationTime,
    note: key.note,
    scopes: key.scopes,
    access_tags: key.accessTags,
    latest_activity: latestActivity,
  };
}

export function principalView(principal: PrincipalDocument, activity: KeyActivity) {
  const keys = principal.apiKeys.map((key) =>
    apiKeyView(key, activity.latest(principal.uuid, key.firstEight, key.latestActivity)),
  );
  return {
    uuid: principal.uuid,
    ...(principal.note !== undefined && { note: principal.note }),
    type: principal.type,
    identities: principal.identities.map(({ id, provider, latestLogin }) => ({
      id,
      provider,
      latest_login: latestLogin,
    })),
    roles: principal.roles.map(({ name, scopes }) => ({ name, scopes })),
    api_keys: keys,
    sessions: principal.sessions.map(({ uuid, expirationTime, revoked, state }) => ({
      uuid,
      expiration_time: expirationTime,
      revoked,
      state,
    })),
    latest_activity: newest([principal.latestActivity, ...keys.map((key) => key.latest_activity)]),
  };
}

function newest(times: readonly (Date | null)[]): Date | null {
  return times.reduce((best, time) => (time !== null && (best === null || time > best) ? time : best), null);
}
