/**
 * The server is killed in the middle of its work (SIGKILL), ten times, with 32 writers at once: whatever it had
 * acknowledged is there.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { folderFor } from "./support.ts";

const ROUNDS = 10;

/** Runs the writers until they have acknowledged `enough`, kills them, and returns what they acknowledged. */
async function killedAfter(path: string, enough: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "durability-writers.ts"), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line);
    if (lines.length === enough) child.kill("SIGKILL");
  });
  const [[code, signal]] = await Promise.all([once(child, "exit"), once(child.stdout, "close")]);
  assert.deepEqual([code, signal], [null, "SIGKILL"], "the writers ended by themselves");
  return lines;
}

test("kill -9 during 32 concurrent writers, ten rounds: no acknowledged write is lost", {
  timeout: 120_000,
}, async (t) => {
  const path = join(folderFor(t), "a.db");
  const opened = new Set<string>();
  const created = new Set<string>();
  const generations = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of await killedAfter(path, 300 + Math.floor(Math.random() * 1500))) {
      const [what, id = "", generation] = line.split(" ");
      if (what === "opened") opened.add(id);
      if (what === "created") created.add(id);
      if (what === "rotated") generations.set(id, Math.max(Number(generation), generations.get(id) ?? 0));
    }
    const db = new Sqlite(path);
    assert.equal(db.pragma("integrity_check", { simple: true }), "ok");
    const sessions = new Set(db.prepare("select uuid from sessions").pluck().all());
    const keys = new Set(db.prepare("select lower(hex(hashed_secret)) from api_keys").pluck().all());
    const rotations = new Map(
      db
        .prepare("select uuid, generation from sessions join tiled_auth_rotations on session_id = id")
        .raw()
        .all() as [string, number][],
    );
    db.close();
    const lost = [
      ...[...opened].filter((uuid) => !sessions.has(uuid)),
      ...[...created].filter((digest) => !keys.has(digest)),
      ...[...generations].filter(([uuid, generation]) => (rotations.get(uuid) ?? 0) < generation),
    ];
    assert.deepEqual(lost, [], `round ${round + 1}`);
  }
  assert.ok(
    opened.size > 100 && generations.size > 100,
    `${opened.size} sessions, ${generations.size} rotated`,
  );
});
