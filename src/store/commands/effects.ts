/**
 * What each command changes of the facts that caches hold. The table names every command, so that a new one cannot be forgotten.
 * Too much only costs a reading, too little would keep a revoked credential alive.
 */
import type { Change } from "../../domain/ports/changes.ts";
import type { OpenOutcome } from "../../domain/ports/sessions.ts";
import { Failure } from "../../errors.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { News } from "../base/news.ts";
import type { CommandArgs, CommandName, CommandResult } from "./commands.ts";

/** `unknown`: it may be anything. */
export type Effect = Change | readonly Change[] | "unknown" | undefined;

const anything = (principal: Uuid): Change => ({ principal, what: "anything" });
const document = (principal: Uuid): Change => ({ principal, what: "document" });
const ofPrincipal = ({ principal }: { readonly principal: Uuid }) => anything(principal);
const nothing = () => undefined;

function ofLogin(outcome: OpenOutcome | { readonly kind: "gone" }): Change | undefined {
  return outcome.kind === "opened" ? anything(outcome.principal.uuid) : undefined;
}

const EFFECTS: { readonly [N in CommandName]: (args: CommandArgs<N>, result: CommandResult<N>) => Effect } = {
  "principal.create_service": nothing,
  "principal.set_disabled": ofPrincipal,
  "principal.revoke_admin": ofPrincipal,
  "principal.ensure_admins": () => "unknown",
  "principal.ensure_user": (_, { uuid }) => anything(uuid),
  "principal.twins": nothing,
  "principal.spellings": nothing,
  "session.open": (_, outcome) => ofLogin(outcome),
  "session.rotate": (_, outcome) => {
    if (outcome.kind === "refreshed") return document(outcome.session.principal);
    return outcome.kind === "reuse" ? anything(outcome.principal) : undefined;
  },
  "session.revoke": (_, outcome) => (outcome.kind === "revoked" ? anything(outcome.principal) : undefined),
  "api_key.create": ({ principal }) => document(principal),
  "api_key.revoke": ofPrincipal,
  "api_key.touch": (_, owners) => owners.map(document),
  "device.start": nothing,
  "device.sign_in": nothing,
  "device.confirm": nothing,
  "device.count_wrong": nothing,
  "device.refuse": nothing,
  "device.collect": (_, outcome) => ofLogin(outcome),
  "device.collect_handed_over": (_, login) =>
    login === undefined ? undefined : anything(login.principal.uuid),
  "browser_login.use": nothing,
  "browser_login.issue_code": nothing,
  "browser_login.take_code": nothing,
  "browser_login.redeem_code": (_, outcome) => ofLogin(outcome),
  "browser_session.open": (_, { outcome, replaced }) => {
    const opened = ofLogin(outcome);
    return [
      ...(opened === undefined ? [] : [opened]),
      ...(replaced === null ? [] : [anything(replaced.principal)]),
    ];
  },
  "browser_session.touch": (_, owner) => (owner === null ? undefined : document(owner)),
  "account.revoke_others": ofPrincipal,
  "identity.link": ofPrincipal,
  "identity.unlink": ofPrincipal,
  // It may grant the role admin.
  "local_account.add": () => "unknown",
  "local_account.rehash": nothing,
  "local_account.set": nothing,
  "local_account.set_password": () => "unknown",
  "local_account.link": (_, outcome) =>
    outcome.kind === "linked" && outcome.sessions > 0 ? "unknown" : undefined,
  "local_account.use_link": (_, outcome) => (outcome.kind === "used" ? "unknown" : undefined),
  "local_account.rename": () => "unknown",
  "local_account.remove": () => "unknown",
  "cave.replace_token": ofPrincipal,
  "cave.revoke_token": ofPrincipal,
  "cave.open_login": ({ principal }, outcome) =>
    outcome.kind === "opened" && outcome.dropped.length > 0 ? anything(principal) : undefined,
  "cave.end_login": (_, owner) => (owner === null ? undefined : anything(owner)),
  "cave.accept_terms": ofPrincipal,
  "audit.append": nothing,
  "cave.import": () => "unknown",
  // Expired sessions hold the state of a person's newest login.
  "maintenance.purge": (_, { sessions, apiKeys }) => (sessions + apiKeys > 0 ? "unknown" : undefined),
  "maintenance.probe": nothing,
};

const CHANGE_NOTHING = new Set(
  Object.keys(EFFECTS).filter((name) => EFFECTS[name as CommandName] === nothing),
);

export function effectOf<N extends CommandName>(
  name: N,
  args: CommandArgs<N>,
  result: CommandResult<N>,
): Effect {
  return EFFECTS[name](args, result);
}

/** Call once a command's change is durable, before its promise resolves. */
export function tellChange<N extends CommandName>(
  news: News,
  name: N,
  args: CommandArgs<N>,
  result: CommandResult<N>,
): void {
  tellEffect(news, effectOf(name, args, result));
}

export function tellEffect(news: News, effect: Effect): void {
  if (effect === undefined) return;
  if (effect === "unknown") news.beginEra();
  else if (Array.isArray(effect)) for (const change of effect) news.tell(change);
  else news.tell(effect as Change);
}

/** Call if a command failed. Its change may be durable all the same, unless the store refused it. */
export function tellFailure(news: News, name: CommandName, error: unknown): void {
  const isUndone = error instanceof Failure && error.code !== "store_unavailable";
  if (!isUndone && !CHANGE_NOTHING.has(name)) news.beginEra();
}
