/**
 * A server's listening connection, outside of the pool. A question on it, asked on demand, proves that it is alive: PostgreSQL
 * sends the notifications of earlier commits before the answer (`NOTIFY` signals listeners before the commit is answered,
 * and a backend handles signals before it runs a statement). Until it is proven alive, or if it is lost, silent or cannot
 * work, everything is read again after half a second.
 */
import type pg from "pg";
import type { Clock } from "../../lib/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { News } from "../base/news.ts";
import { tellEffect } from "../commands/effects.ts";
import type { Connections } from "./fallback.ts";
import { CHANNEL, type Notice, parsePayload } from "./notices.ts";
import type { Log } from "./pool.ts";
import { sessionOf } from "./session.ts";

/** Milliseconds. Caches use nothing that was proven longer ago than half a second, so a longer wait is only slower. */
const ANSWER_TIMEOUT = 2000;
const GREETING_TIMEOUT = 5000;
const FIRST_RETRY = 250;
const LONGEST_RETRY = 30_000;
/** Refreshes are not told while this server is alone. For this long a new one remembers nothing, until the others know of it. */
const INTRODUCTION = 1000;
const COUNT_EVERY = 5000;

/** A lock that all listeners share, so that they can be counted. */
const LOCK = [0x7469, 0x6c65] as const;
const COUNT = `(select count(*) from pg_locks where locktype = 'advisory' and classid = ${LOCK[0]} and objid = ${LOCK[1]} and objsubid = 2 and database = (select oid from pg_database where datname = current_database()))`;
const BEGIN = `select pg_advisory_lock_shared(${LOCK[0]}, ${LOCK[1]}); listen ${CHANNEL}`;
/** Also finds out whether something between here and the database has ended listening. */
const ALIVE = `exists (select from pg_listening_channels() as c where c = '${CHANNEL}') as listening`;

export interface ListenerOptions {
  readonly news: News;
  /** Makes the connection; of size 1. */
  readonly pool: Connections;
  readonly clock: Clock;
  readonly log: Log;
  readonly origin: string;
  /** Sends a greeting with this number on a connection that commands use. */
  greet(number: number): Promise<unknown>;
  /** Whether a change of ours was not told yet, which its notification then does. */
  isUntold(number: number): boolean;
}

interface Connection {
  readonly client: pg.PoolClient;
  readonly instance: string;
  /** When the own greeting arrived. */
  heardAt: number | undefined;
  introduced: boolean;
  /** Listeners, with this one; undefined until counted. */
  listeners: number | undefined;
  countedAt: number;
}

export class Listener {
  readonly #options: ListenerOptions;
  #connection: Connection | undefined;
  #connecting = false;
  #closed = false;
  /** Behind a pooler, notifications reach another client. */
  #impossible = false;
  #retryAt = Number.NEGATIVE_INFINITY;
  #retryAfter = FIRST_RETRY;
  #greeting = 0;
  #greeted: (() => void) | undefined;
  #logged = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Whether the connection was proven alive a moment ago and no other server listens. */
  isAlone(now: number): boolean {
    const listeners = this.#connection?.listeners;
    const age = now - this.#options.news.toldUntil(now);
    return listeners === 1 && age >= 0 && age < 500;
  }

  /** Called by `News`, at most every 250 ms. */
  ask(askedAt: number): void {
    const { news } = this.#options;
    const connection = this.#connection;
    if (this.#closed || this.#impossible || connection === undefined) {
      const isDue = askedAt >= this.#retryAt || this.#retryAt - askedAt > LONGEST_RETRY;
      if (!this.#closed && !this.#impossible && !this.#connecting && isDue) void this.#connect();
      news.unanswered();
      return;
    }
    void this.#prove(connection, askedAt);
  }

  /** Call with each connection that is read from: another server's notifications would say nothing about it. */
  compare(instance: string): void {
    const connection = this.#connection;
    if (connection !== undefined && connection.instance !== instance)
      this.#lose(connection, new Error("the pool's connections lead to another server"));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#greeted?.();
    connection?.client.release(true);
    if (!this.#options.pool.ending) await this.#options.pool.end();
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    let client: pg.PoolClient | undefined;
    try {
      client = await this.#options.pool.connect();
      const { direct, instance } = sessionOf(client);
      if (!direct) {
        this.#impossible = true;
        client.release(true);
        this.#options.log(
          "warn",
          "database.exclusive_writer has no effect behind a pooler such as PgBouncer, which does not pass notifications on: what was read is used for half a second. Connect to PostgreSQL directly.",
        );
        return;
      }
      await this.#begin(client, instance);
    } catch (error) {
      client?.release(true);
      this.#retryLater(error);
    } finally {
      this.#connecting = false;
    }
  }

  async #begin(client: pg.PoolClient, instance: string): Promise<void> {
    let lost: unknown;
    const connection: Connection = {
      client,
      instance,
      heardAt: undefined,
      introduced: false,
      listeners: undefined,
      countedAt: Number.NEGATIVE_INFINITY,
    };
    const onLost = (error?: unknown) => {
      lost ??= error ?? new Error("the connection ended");
      this.#greeted?.();
      this.#lose(connection, lost);
    };
    client.on("error", onLost);
    client.on("end", onLost);
    client.on("notification", ({ channel, payload }) => {
      if (channel === CHANNEL) this.#hear(connection, parsePayload(payload ?? ""));
    });
    await client.query({ text: BEGIN, query_timeout: ANSWER_TIMEOUT } as pg.QueryConfig);
    this.#greeting += 1;
    const heard = new Promise<void>((resolve) => {
      this.#greeted = resolve;
    });
    const timer = setTimeout(() => this.#greeted?.(), GREETING_TIMEOUT);
    try {
      await this.#options.greet(this.#greeting);
      await heard;
    } finally {
      clearTimeout(timer);
      this.#greeted = undefined;
    }
    if (lost !== undefined) throw lost;
    if (connection.heardAt === undefined) throw new Error("a notification to itself did not arrive");
    if (this.#closed) {
      client.release(true);
      return;
    }
    this.#connection = connection;
  }

  #hear(connection: Connection, { origin, number, effect }: Notice): void {
    const { news, clock } = this.#options;
    const isOwn = origin === this.#options.origin;
    if (effect === "hello") {
      if (!isOwn) connection.listeners = undefined;
      else if (number === this.#greeting) {
        connection.heardAt = clock.now();
        this.#greeted?.();
      }
      return;
    }
    if (!isOwn || this.#options.isUntold(number)) tellEffect(news, effect);
  }

  async #prove(connection: Connection, askedAt: number): Promise<void> {
    const { news, log } = this.#options;
    const since = askedAt - connection.countedAt;
    const isCounting = connection.listeners === undefined || since >= COUNT_EVERY || since < 0;
    const text = isCounting ? `select ${ALIVE}, ${COUNT} as listeners` : `select ${ALIVE}`;
    // A server that arrives meanwhile clears it again.
    if (isCounting) connection.listeners = 0;
    try {
      const { rows } = await connection.client.query<{ listening: boolean; listeners?: number }>({
        text,
        query_timeout: ANSWER_TIMEOUT,
      } as pg.QueryConfig);
      const [row] = rows;
      if (row?.listening !== true) throw new Error("the connection no longer listens");
      if (this.#connection !== connection) return;
      if (isCounting && connection.listeners === 0) {
        connection.listeners = row.listeners;
        connection.countedAt = askedAt;
      }
    } catch (error) {
      this.#lose(connection, error);
      return;
    }
    const age = askedAt - (connection.heardAt ?? askedAt);
    if (!connection.introduced && age >= 0 && age < INTRODUCTION) {
      news.unanswered();
      return;
    }
    if (!connection.introduced) {
      // What was read before may have been changed before this connection listened.
      news.beginEra();
      connection.introduced = true;
      this.#retryAfter = FIRST_RETRY;
      if (this.#logged) log("info", "Notifications of PostgreSQL arrive again.");
      this.#logged = false;
    }
    news.answered(askedAt);
  }

  /** Forgets everything, and connects again at a later question. */
  #lose(connection: Connection, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#options.news.beginEra();
    this.#options.news.unanswered();
    connection.client.release(true);
    this.#retryLater(error);
  }

  #retryLater(error: unknown): void {
    if (this.#closed) return;
    this.#retryAt = this.#options.clock.now() + this.#retryAfter;
    this.#retryAfter = Math.min(2 * this.#retryAfter, LONGEST_RETRY);
    if (this.#logged) return;
    this.#logged = true;
    this.#options.log(
      "warn",
      `Notifications of PostgreSQL do not arrive (${messageOf(error)}); until they do, what was read is used for half a second.`,
    );
  }
}
