import assert from "node:assert/strict";
import { test } from "node:test";
import { demo } from "../../../src/cli/serve/demo.ts";

const passwords = (text: string) =>
  [...text.matchAll(/\b[a-z2-9]{4}(?:-[a-z2-9]{4}){2}\b/g)].map(([found]) => found);

test("the accounts' passwords are printed, and are others at each start", () => {
  const first = demo({ port: 0 });
  const second = demo({ port: 0 });
  const printed = [first, second].flatMap(({ notice }) => passwords(notice({ url: "http://127.0.0.1:1" })));
  assert.equal(printed.length, 4);
  assert.equal(new Set(printed).size, 4);
  const [provider] = first.config.authentication.providers;
  assert.deepEqual(Object.values(provider?.args["users_to_passwords"] ?? {}), printed.slice(0, 2));
});

test("the notice says what to type, with the address it listens on", () => {
  const text = demo({}).notice({ url: "http://127.0.0.1:4711" });
  assert.match(text, /c = from_uri\("http:\/\/127\.0\.0\.1:4711"\)/);
  assert.match(text, /alice {6}.*\(administrator\)/);
});

test("it listens on the given address, and stays in memory", () => {
  const { config } = demo({ host: "0.0.0.0", port: 4711 });
  assert.deepEqual([config.server.host, config.server.port], ["0.0.0.0", 4711]);
  assert.equal(config.database.uri, null);
  assert.deepEqual(config.authentication.admins, [{ provider: "demo", id: "alice" }]);
});
