/** Backup and restore with PostgreSQL's own programs. */
import assert from "node:assert/strict";
import { existsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backupDatabase, restoreDatabase } from "../../../src/store/backup.ts";
import type { Postgres } from "../../support/postgres.ts";
import { onPostgres, type PostgresCases } from "../on-postgres.ts";
import { folderFor, logIn, newKey, openFor, useCave, withStoreAt } from "../support.ts";

const CASES: PostgresCases<Postgres> = {
  "a backup of a database in use is restored into a new one, whatever else the old one holds": async (
    t,
    server,
    uri,
  ) => {
    const file = join(folderFor(t), "backup.dump");
    await server.query(uri, "create table notes (text text); create schema auth");
    const inAuth = `${uri}?options=-csearch_path%3Dauth`;
    const store = await openFor(t, inAuth);
    const { principal, session } = await logIn(store, "ann");
    await store.apiKeys.create(
      newKey(principal.uuid, { note: "a\ttab, a\nline, a\u2028separator, \\. and COPY x (y) FROM stdin;" }),
    );
    const login = await useCave(store, principal.uuid, session.uuid);
    const { counts, bytes } = await backupDatabase(inAuth, file, false);
    assert.deepEqual([counts["principals"], counts["api_keys"], counts["notes"]], [1, 1, undefined]);
    assert.deepEqual([statSync(file).size, statSync(file).mode & 0o777], [bytes, 0o600]);
    await assert.rejects(backupDatabase(inAuth, file, false), /--force/);
    await assert.rejects(
      restoreDatabase(inAuth, file),
      /has tables. Nothing was restored. Create a new database/,
    );
    await assert.rejects(restoreDatabase(uri, file), /has tables/);

    const empty = await server.createDatabase();
    await assert.rejects(
      restoreDatabase(`${empty}?options=-csearch_path%3Dauth`, file),
      /CREATE SCHEMA auth/,
    );
    await server.query(empty, "create schema auth");
    const restored = await restoreDatabase(`${empty}?options=-csearch_path%3Dauth`, file);
    assert.deepEqual(restored.counts, counts);
    await withStoreAt(`${empty}?options=-csearch_path%3Dauth`, async (copy) => {
      assert.equal((await copy.principals.document(principal.uuid, new Date(0)))?.apiKeys.length, 1);
      assert.deepEqual((await copy.cave.person(principal.uuid))?.acceptedTos, [1]);
      assert.equal((await copy.cave.login(login))?.principal, principal.uuid);
      // Sequences continued.
      await logIn(copy, "bob");
    });
  },

  "a file that is not a backup, or incomplete, changes nothing": async (t, server, uri) => {
    const file = join(folderFor(t), "backup.dump");
    await logIn(await openFor(t, uri), "ann");
    const empty = await server.createDatabase();
    await assert.rejects(restoreDatabase(empty, file), /There is no backup file/);
    writeFileSync(file, "no dump");
    await assert.rejects(restoreDatabase(empty, file), /pg_restore failed/);
    await backupDatabase(uri, file, true);
    truncateSync(file, statSync(file).size - 3000);
    await assert.rejects(restoreDatabase(empty, file), /pg_restore failed|lacks/);
    assert.deepEqual(await server.query(empty, "select 1 from pg_tables where schemaname = 'public'"), []);
  },

  "without pg_dump the message says what to run, and where": async (t, _server, uri) => {
    const file = join(folderFor(t), "backup.dump");
    await (await openFor(t, uri)).close();
    const path = process.env["PATH"];
    process.env["PATH"] = "/nowhere";
    try {
      const secret = uri.replace("tests@", "tests:hunter2@");
      await assert.rejects(backupDatabase(secret, file, false), (error: Error) => {
        assert.match(
          error.message,
          /pg_dump is not on .*PATH.*postgresql-client.*: pg_dump --format=custom .*postgresql:/,
        );
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    } finally {
      process.env["PATH"] = path;
    }
    assert.equal(existsSync(file), false);
  },
};

onPostgres(CASES);
