/**
 * The rules of `cave` while the server runs: which changes of its file take effect, and which do not. In a process of its own,
 * since it replaces timers.
 */
import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/load.ts";
import type { CaveConfig, Reread } from "../../src/config/model.ts";
import { CaveRulesInForce } from "../../src/domain/cave/rules.ts";
import { CaveReload } from "../../src/start/cave-reload.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";

const AUTHENTICATION = `authentication:
  secret_keys: [0123456789abcdef0123456789abcdef]
  providers: [{provider: toy, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {a: b}}}]
`;
const REST = `trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n${AUTHENTICATION}`;

const section = (groups: string, more = "") =>
  `cave:\n  server_address: https://cave.example.org\n  groups: {${groups}}\n${more}`;
const group = (name: string) => `${name}: {id: 1, everyone: true}`;
const file = (groups: string, more = "") => REST + section(groups, more);

/** As editors and deployments do it: the old file is there until the new one is. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

interface Line {
  readonly level: string;
  readonly text: string;
}

/** A server's part that reloads, and its log. */
class Watching {
  readonly rules: CaveRulesInForce;
  readonly reload: CaveReload;
  readonly lines: Line[] = [];

  constructor(t: TestContext, cave: CaveConfig | null, gather = 1) {
    assert.ok(cave);
    this.rules = new CaveRulesInForce(cave.rules);
    const add = (level: string) => (fields: unknown, text?: string) =>
      void this.lines.push({ level, text: text ?? String(fields) });
    this.reload = new CaveReload({
      cave,
      rules: this.rules,
      log: { info: add("info"), warn: add("warn"), error: add("error") },
      watch: { interval: 20, settle: 1 },
      gather,
    });
    this.reload.start();
    t.after(() => this.reload.stop());
  }

  get groups(): readonly string[] {
    return this.rules.current.settings.groups.map(({ name }) => name);
  }

  get log(): string {
    return this.lines.map(({ level, text }) => `${level}: ${text}`).join("\n");
  }

  async has(...groups: readonly string[]): Promise<void> {
    assert.ok(await eventually(20, async () => String(this.groups) === String(groups)), this.log);
  }

  async says(pattern: RegExp): Promise<void> {
    assert.ok(await eventually(20, async () => pattern.test(this.log)), `${pattern} in\n${this.log}`);
  }
}

async function watching(t: TestContext, text: string, env: Record<string, string> = {}) {
  const path = join(await temporaryFolder(after), "config.yml");
  await writeFile(path, text);
  return { path, watching: new Watching(t, loadConfig(path, env).cave) };
}

describe("a changed configuration", () => {
  it("gives new rules, written in place or renamed, and says how many", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    assert.match(
      w.log,
      /^info: CAVE's rules are in force: 1 group, 0 datasets, 0 sets of terms, 0 origins\.$/,
    );
    const before = w.rules.current;
    await writeFile(path, file(group("two")));
    await w.has("two");
    assert.deepEqual(before.settings.groups[0]?.name, "one", "a request under way keeps its rules");
    await replace(path, file(`${group("three")}, other: {id: 2}`, "  origins: [https://a.example.org]\n"));
    await w.has("three", "other");
    assert.equal(w.rules.current.allowsOrigin("https://a.example.org"), true);
    assert.match(
      w.log,
      /info: New rules for CAVE are in force: 2 groups, 0 datasets, 0 sets of terms, 1 origin\.$/,
    );
    assert.doesNotMatch(w.log, /warn|error/);
  });

  it("that is broken changes nothing, and the log has all problems with their places", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    await replace(
      path,
      file("a: {id: 1}, b: {id: 1}", "  admins: [{provider: toi, id: a}]\n  orgins: []\n").replace(
        "trees:",
        "server: {port: x}\ntrees:",
      ),
    );
    await w.says(/error: /);
    const [error = "", ...others] = w.lines.filter(({ level }) => level === "error").map(({ text }) => text);
    assert.deepEqual(others, []);
    assert.match(error, /^The configuration has errors, so CAVE's rules from before stay in force: /);
    for (const problem of [
      /config\.yml:1: server\.port: 'x' is not allowed here/,
      /config\.yml:8: cave\.groups\.b\.id: cave\.groups\.a has the id 1 already/,
      /config\.yml:9: cave\.admins\[0\]\.provider: there is no provider 'toi'/,
      /config\.yml:10: cave\.orgins: unknown key 'orgins'/,
    ])
      assert.match(error, problem);
    assert.doesNotMatch(error, /\n/);
    assert.deepEqual(w.groups, ["one"]);

    await replace(path, file(group("one")));
    await w.says(/info: CAVE's rules are unchanged\.$/);
  });

  it("that is no YAML at all changes nothing", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    for (const text of ["", "cave: {", "\0", "- a\n"]) {
      const before = w.lines.length;
      await replace(path, text);
      assert.ok(await eventually(20, async () => w.lines.length > before), JSON.stringify(text));
      assert.equal(w.lines.at(-1)?.level, "error");
    }
    assert.deepEqual(w.groups, ["one"]);
    await replace(path, file(group("two")));
    await w.has("two");
  });

  it("that was deleted changes nothing until it is there again", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    await rm(path);
    await w.says(/error: The configuration has errors, so .*config\.yml: there is no such file or folder/);
    assert.deepEqual(w.groups, ["one"]);
    await writeFile(path, file(group("two")));
    await w.has("two");
  });

  it("without the section changes nothing: its routes stay until a restart", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    await replace(path, REST);
    await w.says(/error: The section 'cave' is gone\. Its routes stay until a restart/);
    assert.deepEqual(w.groups, ["one"]);
  });

  it("in other sections, too: the rules are taken, and the log names what needs a restart", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    const changed = file(group("two"))
      .replace("a: b", "a: hunter2")
      .replace("https://cave.example.org", "https://new.example.org");
    await replace(path, `${changed}pages: {title: New}\n`);
    await w.has("two");
    await w.says(
      /warn: These keys have changed since the start, which needs a restart: authentication, pages, cave\.server_address\.$/,
    );
    assert.doesNotMatch(w.log, /hunter2/);
    // Said once, until it changes.
    await replace(path, `${changed.replace("two", "three")}pages: {title: New}\n`);
    await w.has("three");
    await replace(path, `${file(group("four"))}pages: {title: New}\n`);
    await w.has("four");
    await w.says(/restart: pages\.$/);
    assert.equal(w.lines.filter(({ level }) => level === "warn").length, 2);
  });

  it("has the environment of the start", async (t) => {
    const env = { WHO: "ada", SECRET: "hunter2" };
    const admin = "  admins: [{provider: toy, id: $WHO}]\n";
    const { path, watching: w } = await watching(t, file(group("one"), admin), env);
    env.WHO = "eve";
    await replace(path, file(group("two"), admin));
    await w.has("two");
    assert.deepEqual(w.rules.current.settings.admins, [{ provider: "toy", id: "ada" }]);
    await replace(path, file(group("three"), "  origins: [$SECRET, $UNSET]\n"));
    await w.says(/cave\.origins\[1\]: the environment variable 'UNSET' is not set/);
    assert.match(w.log, /cave\.origins\[0\]: must be an origin/);
    assert.doesNotMatch(w.log, /hunter2/);
    assert.deepEqual(w.groups, ["two"]);
  });
});

describe("a file that is still being written", () => {
  const WHOLE = `${section(group("one"))}  tos: {t: {id: 1, text: Be kind.}}\n  datasets:\n    d:\n      id: 1\n      tos: t\n`;
  const PART = WHOLE.slice(0, WHOLE.lastIndexOf("      tos"));
  const waits = (w: Watching) => w.rules.current.settings.datasets.every(({ tos }) => tos !== null);

  it("is read once its writer has paused", async (t) => {
    const GATHER = 777;
    const path = join(await temporaryFolder(after), "config.yml");
    await writeFile(path, REST + WHOLE);
    const w = new Watching(t, loadConfig(path, {}).cave, GATHER);
    await w.reload.read();
    const { setTimeout: start, clearTimeout: clear } = globalThis;
    /** Timers for a reading, which the test lets run. */
    const waiting = new Map<unknown, () => void>();
    t.mock.method(globalThis, "setTimeout", (work: () => void, ms?: number) => {
      if (ms !== GATHER) return start(work, ms);
      const timer = start(() => undefined, ms);
      waiting.set(timer, work);
      return timer;
    });
    t.mock.method(globalThis, "clearTimeout", (timer?: NodeJS.Timeout) => {
      waiting.delete(timer);
      clear(timer);
    });
    await replace(path, REST + PART);
    assert.ok(await eventually(20, async () => waiting.size === 1));
    const [first] = waiting.keys();
    await replace(path, REST + WHOLE.replace("one", "two"));
    assert.ok(await eventually(20, async () => waiting.size === 1 && !waiting.has(first)));
    const isTaken = async () => {
      for (const [timer, work] of waiting) {
        waiting.delete(timer);
        work();
      }
      return String(w.groups) === "two";
    };
    assert.ok(await eventually(20, isTaken), w.log);
    assert.ok(waits(w));
    assert.equal(w.lines.filter(({ text }) => text.startsWith("New rules")).length, 1, w.log);
  });

  it("is read again if it changed meanwhile, and only the last reading counts", async (t) => {
    const path = join(await temporaryFolder(after), "config.yml");
    await writeFile(path, REST + WHOLE);
    const { cave } = loadConfig(path, {});
    assert.ok(cave?.source);
    const { source } = cave;
    let readings = 0;
    const read = async (signal: AbortSignal): Promise<Reread> => {
      readings += 1;
      if (readings === 1) await writeFile(path, REST + PART);
      const found = await source.read(signal);
      if (readings === 1) await writeFile(path, REST + WHOLE.replace("one", "two"));
      return found;
    };
    const w = new Watching(t, { ...cave, source: { ...source, read } });
    await w.has("two");
    assert.ok(waits(w));
    assert.equal(w.lines.filter(({ text }) => text.startsWith("New rules")).length, 1, w.log);
  });
});

describe("files beside it", () => {
  const TERMS = "  tos: {t: {id: 1, file: terms.txt}}\n";
  const textOf = (w: Watching) => w.rules.current.terms(1)?.text;

  it("terms are read again, and kept if their file is gone or empty", async (t) => {
    const folder = await temporaryFolder(after);
    const terms = join(folder, "terms.txt");
    const path = join(folder, "config.yml");
    await writeFile(terms, "old");
    await writeFile(path, file(group("one"), TERMS));
    const w = new Watching(t, loadConfig(path, {}).cave);
    await replace(terms, "new");
    assert.ok(await eventually(20, async () => textOf(w) === "new"), w.log);
    await rm(terms);
    await w.says(/error: .*cave\.tos\.t\.file: 'terms\.txt': there is no such file/);
    await writeFile(terms, "");
    await w.says(/error: .*cave\.tos\.t\.file: 'terms\.txt': the file is empty/);
    assert.equal(textOf(w), "new");
    await writeFile(terms, "newest");
    assert.ok(await eventually(20, async () => textOf(w) === "newest"), w.log);
  });

  it("a file of terms that the new configuration names is watched, also before it is there", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    await replace(path, file(group("two"), TERMS));
    await w.says(/error: .*'terms\.txt': there is no such file/);
    await writeFile(join(path, "..", "terms.txt"), "Be nice.");
    await w.has("two");
    assert.equal(textOf(w), "Be nice.");
  });

  it("several changes at once end in the last state of all", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    const terms = join(path, "..", "terms.txt");
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        replace(path, file(group(`g${round}`), TERMS)),
        replace(terms, `text ${round}`),
        w.reload.read(),
      ]);
    }
    await w.has("g4");
    assert.ok(await eventually(20, async () => textOf(w) === "text 4"), w.log);
    assert.doesNotMatch(w.log, /error: .*could not be read/);
  });

  it("a folder: a file of it changes, comes, goes, and is broken", async (t) => {
    const folder = join(await temporaryFolder(after), "config.d");
    await mkdir(folder);
    await writeFile(join(folder, "a.yml"), REST);
    await writeFile(join(folder, "cave.yml"), section(group("one")));
    const w = new Watching(t, loadConfig(folder, {}).cave);
    await replace(join(folder, "cave.yml"), section(group("two")));
    await w.has("two");
    await writeFile(join(folder, "z.yml"), "pages: {titel: x}\n");
    await w.says(/error: .*z\.yml:1: pages\.titel: unknown key 'titel'/);
    await writeFile(join(folder, "z.yml"), "pages: {title: x}\n");
    await w.says(/warn: .*restart: pages\.$/);
    await rm(join(folder, "z.yml"));
    await writeFile(join(folder, "b.yml"), section(group("three")));
    await w.says(/error: .*the key 'cave' is in two files of the folder/);
    await rm(join(folder, "cave.yml"));
    await w.has("three");
    await rm(folder, { recursive: true });
    await w.says(/error: .*there is no such file or folder/);
    assert.deepEqual(w.groups, ["three"]);
  });
});

it("changes between the reading of the configuration and the watching of its files are noticed", async (t) => {
  const path = join(await temporaryFolder(after), "config.yml");
  await writeFile(path, file(group("one")));
  const { cave } = loadConfig(path, {});
  await replace(path, file(group("two")));
  const w = new Watching(t, cave);
  await w.has("two");
});

describe("SIGHUP", () => {
  it("reads again, and is answered even if nothing changed", async (t) => {
    const { path, watching: w } = await watching(t, file(group("one")));
    await w.reload.read();
    assert.equal(w.lines.at(-1)?.text, "CAVE's rules are unchanged.");
    await replace(path, `${file(group("one"))}pages: {title: New}\n`);
    await w.reload.read();
    await w.reload.read();
    const last = w.lines.slice(-2).map(({ text }) => text);
    assert.equal(last[0], "CAVE's rules are unchanged.");
    assert.match(last[1] ?? "", /restart: pages\.$/);
  });

  it("says so where there is no file to read", async (t) => {
    const { cave } = loadConfig((await watching(t, file(group("one")))).path, {});
    assert.ok(cave);
    const w = new Watching(t, { ...cave, source: null });
    await w.reload.read();
    assert.equal(w.lines.at(-1)?.level, "warn");
    assert.match(
      w.lines.at(-1)?.text ?? "",
      /not read from a file\. CAVE's rules from before stay in force\.$/,
    );
  });
});

describe("readings", () => {
  /** A source whose readings the test ends. */
  function controlled(t: TestContext, file = "/nowhere/gone.yml") {
    const readings: PromiseWithResolvers<Reread>[] = [];
    const cave: CaveConfig = {
      serverAddress: "https://cave.example.org",
      rules: { admins: [], origins: [], loginTokenMaxAge: 1, tos: [], datasets: [], groups: [] },
      source: {
        files: [file],
        digests: new Map(),
        read: () => {
          const reading = Promise.withResolvers<Reread>();
          readings.push(reading);
          return reading.promise;
        },
      },
    };
    const w = new Watching(t, cave);
    const end = (index: number, name: string) => {
      const { serverAddress, rules } = cave;
      const groups = [
        { id: 1, name, everyone: true, members: [], admins: [], permissions: new Map<string, string[]>() },
      ];
      readings[index]?.resolve({
        cave: { serverAddress, rules: { ...rules, groups } },
        problems: [],
        files: [],
        digests: new Map(),
      });
    };
    return { w, readings, end };
  }

  it("begin at once only if a file changed since the process began", async (t) => {
    const unchanged = controlled(t, fileURLToPath(import.meta.url));
    const gone = controlled(t);
    assert.ok(await eventually(20, async () => gone.readings.length === 1));
    assert.equal(unchanged.readings.length, 0);
  });

  it("run one after the other; requests during one share the next", async (t) => {
    const { w, readings, end } = controlled(t);
    assert.ok(await eventually(20, async () => readings.length === 1));
    const asked = [w.reload.read(), w.reload.read()];
    end(0, "one");
    assert.ok(await eventually(20, async () => readings.length === 2), w.log);
    assert.deepEqual(w.groups, ["one"]);
    const later = w.reload.read();
    end(1, "two");
    await Promise.all(asked);
    assert.deepEqual(w.groups, ["two"]);
    assert.ok(await eventually(20, async () => readings.length === 3), w.log);
    end(2, "three");
    await later;
    assert.deepEqual(w.groups, ["three"]);
  });

  it("that fail leave the rules as they are", async (t) => {
    const { w, readings, end } = controlled(t);
    assert.ok(await eventually(20, async () => readings.length === 1));
    readings[0]?.reject(new Error("no memory"));
    await w.says(/error: The configuration could not be read: Error: no memory\. CAVE's rules from before/);
    const asked = w.reload.read();
    assert.ok(await eventually(20, async () => readings.length === 2));
    end(1, "one");
    await asked;
    assert.deepEqual(w.groups, ["one"]);
  });

  it("that end after a stop change nothing", async (t) => {
    const { w, readings, end } = controlled(t);
    assert.ok(await eventually(20, async () => readings.length === 1));
    w.reload.stop();
    const said = w.lines.length;
    end(0, "late");
    await w.reload.read();
    assert.deepEqual(w.groups, []);
    assert.equal(w.lines.length, said);
  });
});
