/**
 * Statements compiled once: a kysely query with named placeholders instead of values, and `Db`, which runs them on one
 * connection. Queries whose shape varies (filters, lists of ids) go through `Db.query` and are compiled each time.
 */
import {
  type Compilable,
  CompiledQuery,
  type DatabaseConnection,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import { Folds } from "./audit-folding.ts";
import type { Tables } from "./tables.ts";

/** SQL dialects of the store. */
export type Dialect = "sqlite" | "postgresql";

class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Placeholders of a statement, by name. */
export type Args<A> = { readonly [K in keyof A]: RawBuilder<A[K]> };

/** A statement with arguments `A` and rows `R`. */
export interface Statement<A, R> {
  readonly build: (tables: Kysely<Tables>, args: Args<A>, dialect: Dialect) => Compilable<R>;
}

/** Defines a statement. `build` runs once per dialect. */
export function statement<A, R>(build: Statement<A, R>["build"]): Statement<A, R> {
  return { build };
}

/** A statement's query. Connections that keep prepared statements know it by `name`. */
export type NamedQuery<R = unknown> = CompiledQuery<R> & { readonly name: string };

interface Compiled {
  readonly query: CompiledQuery;
  readonly name: string;
  /** For each parameter, the name of its argument, or null if the value is a constant of the statement. */
  readonly names: readonly (string | null)[];
}

function placeholders(dialect: Dialect): unknown {
  return new Proxy(
    {},
    {
      get: (_, name) => {
        const placeholder = new Placeholder(String(name));
        // SQLite (with STAT4) replans a join for each value bound to a bare parameter, which costs more than running it.
        // The unary plus changes no value and hides the parameter from the planner.
        return dialect === "sqlite" ? sql`+${placeholder}` : sql`${placeholder}`;
      },
    },
  );
}

/** Compiles statements for one dialect and caches the result. */
export class Compiler {
  readonly dialect: Dialect;
  readonly tables: Kysely<Tables>;
  readonly folds = new Folds();
  readonly #compiled = new Map<unknown, Compiled>();
  readonly #placeholders: unknown;
  #generation = 0;

  constructor(dialect: Dialect) {
    this.dialect = dialect;
    this.#placeholders = placeholders(dialect);
    this.tables = new Kysely<Tables>({
      dialect:
        dialect === "sqlite"
          ? {
              createAdapter: () => new SqliteAdapter(),
              createDriver: () => new DummyDriver(),
              createIntrospector: (db) => new SqliteIntrospector(db),
              createQueryCompiler: () => new SqliteQueryCompiler(),
            }
          : {
              createAdapter: () => new PostgresAdapter(),
              createDriver: () => new DummyDriver(),
              createIntrospector: (db) => new PostgresIntrospector(db),
              createQueryCompiler: () => new PostgresQueryCompiler(),
            },
    });
  }

  /** Call once the database refuses a prepared statement: the names of all are new from then on. */
  rename(): void {
    this.#generation += 1;
    this.#compiled.clear();
  }

  bind<A extends object, R>(statement: Statement<A, R>, args: A): NamedQuery<R> {
    let compiled = this.#compiled.get(statement);
    if (compiled === undefined) {
      const query = statement.build(this.tables, this.#placeholders as Args<A>, this.dialect).compile();
      const names = query.parameters.map((value) => (value instanceof Placeholder ? value.name : null));
      compiled = { query, name: `tiled_auth_${this.#generation}_${this.#compiled.size}`, names };
      this.#compiled.set(statement, compiled);
    }
    const { query, name, names } = compiled;
    const values = args as Readonly<Record<string, unknown>>;
    return {
      ...query,
      name,
      parameters: names.map((name, index) => (name === null ? query.parameters[index] : values[name])),
    } as NamedQuery<R>;
  }
}

/** One connection, possibly inside a transaction. */
export class Db {
  readonly dialect: Dialect;
  /** Audit folding state of this process, shared by all connections to the database. */
  readonly folds: Folds;
  readonly #connection: DatabaseConnection;
  readonly #compiler: Compiler;

  constructor(connection: DatabaseConnection, compiler: Compiler) {
    this.dialect = compiler.dialect;
    this.folds = compiler.folds;
    this.#connection = connection;
    this.#compiler = compiler;
  }

  async all<A extends object, R>(statement: Statement<A, R>, args: A): Promise<R[]> {
    return (await this.#connection.executeQuery<R>(this.#compiler.bind(statement, args))).rows;
  }

  async one<A extends object, R>(statement: Statement<A, R>, args: A): Promise<R | undefined> {
    return (await this.#connection.executeQuery<R>(this.#compiler.bind(statement, args))).rows[0];
  }

  /** Runs a statement and returns the number of changed rows. */
  async run<A extends object, R>(statement: Statement<A, R>, args: A): Promise<number> {
    const result = await this.#connection.executeQuery(this.#compiler.bind(statement, args));
    return Number(result.numAffectedRows ?? 0n);
  }

  /** Runs SQL from a library, unchanged. */
  async raw(text: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return (
      await this.#connection.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text, [...parameters]))
    ).rows;
  }

  async query<R>(build: (tables: Kysely<Tables>) => Compilable<R>): Promise<R[]> {
    return (
      await this.#connection.executeQuery<R>(build(this.#compiler.tables).compile() as CompiledQuery<R>)
    ).rows;
  }
}
