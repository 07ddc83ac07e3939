/**
 * Commands that would wait for each other's row in PostgreSQL wait here, one after the other: waiting in the database takes
 * a connection each, and who sends many of one kind would have them all. Other servers are waited for in the database.
 */
import type { CommandArgs, CommandName } from "./backend.ts";
import { busy } from "./errors.ts";

type LaneOf = { readonly [N in CommandName]?: (args: CommandArgs<N>) => string };

const LANES: LaneOf = {
  "session.rotate": ({ session }) => session,
  "session.open": ({ identity }) => JSON.stringify([identity.provider, identity.id]),
  "api_key.create": ({ principal }) => principal,
  "api_key.revoke": ({ principal }) => principal,
  "principal.set_disabled": () => "admins",
};

/** As long as for a connection; milliseconds. */
const PATIENCE = 5000;

export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<N extends CommandName, R>(name: N, args: CommandArgs<N>, work: () => Promise<R>): Promise<R> {
    const laneOf = LANES[name] as ((args: CommandArgs<N>) => string) | undefined;
    if (laneOf === undefined) return work();
    const lane = `${name} ${laneOf(args)}`;
    const before = this.#tails.get(lane);
    const result = before === undefined ? work() : atMost(PATIENCE, before).then(work);
    const tail: Promise<void> = Promise.allSettled([before, result]).then(() => {
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
    });
    this.#tails.set(lane, tail);
    return result;
  }
}

function atMost(milliseconds: number, turn: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(busy("a command waited too long for others like it")),
      milliseconds,
    );
    void turn.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
