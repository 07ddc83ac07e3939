/** What each rule makes of what a browser says of the page that a request comes from. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FastifyRequest } from "fastify";
import {
  isForeign,
  isOpenedByPerson,
  isOwnNavigation,
  isSameOrigin,
  namesForeignOrigin,
  namesNoSource,
  namesOwnOrigin,
} from "../../../src/http/access/same-origin.ts";

const OWN = "https://tiled.example.org";
const TRUSTED = "https://ui.example.org";
const ORIGINS = [undefined, OWN, TRUSTED, "null", "http://tiled.example.org", "https://x.example.org"];
const SITES = [undefined, "same-origin", "none", "same-site", "cross-site"];

const links = { base: () => `${OWN}/data` };
const trusts = (origin: string) => origin === TRUSTED;

function request(origin: string | undefined, site: string | undefined, more = {}): FastifyRequest {
  const headers = {
    ...(origin !== undefined && { origin }),
    ...(site !== undefined && { "sec-fetch-site": site }),
    ...more,
  };
  return { headers } as FastifyRequest;
}

/** A line an origin, a letter a site: `+` where the rule holds. */
function table(rule: (request: FastifyRequest) => boolean): string[] {
  return ORIGINS.map((origin) => SITES.map((site) => (rule(request(origin, site)) ? "+" : "-")).join(""));
}

test("changes by a key's cookie: Origin decides, and Sec-Fetch-Site where it is missing", () => {
  assert.deepEqual(
    table((asked) => !isForeign(asked, links, trusts)),
    ["+++--", "+++++", "+++++", "-----", "-----", "-----"],
  );
});

test("a browser's login and our forms: both have to fit, null does, and no other origin is trusted", () => {
  assert.deepEqual(
    table((asked) => isSameOrigin(asked, links)),
    ["+++--", "+++--", "-----", "+++--", "-----", "-----"],
  );
});

test("a WebSocket by a browser's login: our own origin has to be named", () => {
  assert.deepEqual(
    table((asked) => namesOwnOrigin(asked, links)),
    ["-----", "+++++", "-----", "-----", "-----", "-----"],
  );
});

test("a WebSocket by a key's cookie, and a proxy's question: no foreign origin is named", () => {
  assert.deepEqual(
    table((asked) => !namesForeignOrigin(asked, links, trusts)),
    ["+++++", "+++++", "+++++", "-----", "-----", "-----"],
  );
});

test("a person's own navigation must be declared by the browser; programs send nothing", () => {
  assert.deepEqual(new Set(table(isOwnNavigation)), new Set(["-++--"]));
  assert.deepEqual(table(namesNoSource), ["+----", ...ORIGINS.slice(1).map(() => "-----")]);
  const opened = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  assert.ok(isOpenedByPerson(request(undefined, "cross-site", opened)));
  assert.ok(!isOpenedByPerson(request("null", "cross-site", opened)), "a form");
  assert.ok(!isOpenedByPerson(request(undefined, "cross-site", { ...opened, "sec-fetch-dest": "iframe" })));
  assert.ok(!isOpenedByPerson(request(undefined, "cross-site")));
});

test("our own origin is the one that a browser names, however a proxy spells the host", () => {
  const spelled = { base: () => "https://Tiled.example.org:443/data" };
  assert.ok(namesOwnOrigin(request(OWN, undefined), spelled));
  assert.ok(!namesOwnOrigin(request(`${OWN}:8443`, undefined), spelled));
});
