/**
 * Queues commands that would lock the same row in PostgreSQL. Waiting in the database would take a connection per command, so one
 * caller could occupy them all. Commands of other servers are still waited for in the database.
 */
import type { IdentityRef, RequestContext } from "../../domain/model/entities.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { busy } from "../base/errors.ts";
import type { CommandArgs, CommandName } from "../commands/commands.ts";

type KeyOf = { readonly [N in CommandName]?: (args: CommandArgs<N>) => string };

const byIdentity = ({ provider, id }: IdentityRef) => `identity ${JSON.stringify([provider, id])}`;
/** A command locks the actor as well as the principal it changes. The key is the actor, since one actor may change many principals. */
const byActor = ({ context, principal }: { readonly context: RequestContext; readonly principal: Uuid }) =>
  `principal ${context.actor ?? principal}`;

const KEYS: KeyOf = {
  "session.rotate": ({ session }) => `session ${session}`,
  "session.open": ({ identity }) => byIdentity(identity),
  "browser_session.open": ({ open }) => byIdentity(open.identity),
  "browser_login.redeem_code": ({ open }) => byIdentity(open.identity),
  "device.collect": ({ open }) => byIdentity(open.identity),
  "session.revoke": ({ session, principal, context }) =>
    principal === null ? `session ${session}` : byActor({ context, principal }),
  "account.revoke_others": byActor,
  "identity.link": byActor,
  "identity.unlink": byActor,
  "api_key.create": byActor,
  "api_key.revoke": byActor,
  "principal.set_disabled": () => "admins",
  "principal.revoke_admin": () => "admins",
};

/** How long a command waits, in milliseconds; the same as for a connection. */
export const TIMEOUT = 5000;

/** Runs commands of one key one after the other. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<N extends CommandName, R>(name: N, args: CommandArgs<N>, work: () => Promise<R>): Promise<R> {
    const key = (KEYS[name] as ((args: CommandArgs<N>) => string) | undefined)?.(args);
    if (key === undefined) return work();
    const before = this.#tails.get(key);
    const result = before === undefined ? work() : atMost(TIMEOUT, before).then(work);
    const tail: Promise<void> = Promise.allSettled([before, result]).then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
    return result;
  }
}

function atMost(milliseconds: number, turn: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(busy("a command waited too long for others of the same user or session")),
      milliseconds,
    );
    void turn.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
