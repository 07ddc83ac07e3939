import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { isOlder, pythonClient, requestIds } from "../../src/http/headers.ts";

test("Python clients' versions are compared as PEP 440 orders them", () => {
  const order = [
    "0.1.0a103",
    "0.1.0a104",
    "0.1.0b16",
    "0.1.0b17",
    "0.1.0rc1",
    "0.1.0",
    "0.1.1",
    "0.2.0",
    "0.2.20",
  ];
  for (const [index, older] of order.slice(0, -1).entries()) {
    const [left, right] = [older, order[index + 1]].map((version) => pythonClient(`python-tiled/${version}`));
    assert.ok(
      left !== undefined && right !== undefined && isOlder(left, right) && !isOlder(right, left),
      older,
    );
  }
});

test("a version that cannot be read is none, as is another client", () => {
  for (const agent of [
    undefined,
    "",
    "curl/8",
    "python-tiled/",
    "python-tiled/x.y",
    "Mozilla python-tiled/0.1.0",
  ]) {
    assert.equal(pythonClient(agent), undefined);
  }
  assert.ok(pythonClient("python-tiled/0.2.21.dev3+gabc") !== undefined);
});

test("a request keeps the UUID it came with, and nothing else", () => {
  const name = requestIds();
  const id = (value?: string) =>
    name({ headers: { "x-tiled-request-id": value } } as unknown as IncomingMessage);
  assert.equal(id("7f2c1f0e-5d0b-4a52-9c6a-0f3d3f5f7a11"), "7f2c1f0e-5d0b-4a52-9c6a-0f3d3f5f7a11");
  for (const other of [undefined, "", "x", "7f2c1f0e-5d0b-1a52-9c6a-0f3d3f5f7a11", "a\r\nb"]) {
    assert.match(id(other), /^[0-9a-f]{16}$/);
  }
});

test("requests that come with no name of their own get one each", () => {
  const name = requestIds();
  const names = new Set(Array.from({ length: 2000 }, () => name({ headers: {} } as IncomingMessage)));
  assert.equal(names.size, 2000);
});
