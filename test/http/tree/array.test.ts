import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { testApp } from "../../support/app.ts";

const open = () => testApp({ providers: false, authentication: { allowAnonymousAccess: true } });

const sha = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

test("arrays and their slices are the bytes that NumPy has", async () => {
  await using t = await open();
  for (const [path, length, digest] of [
    ["full/A?expected_shape=100%2C100", 80_000, "37895d84a413"],
    ["full/A?slice=", 80_000, "37895d84a413"],
    ["full/A?expected_shape=scalar&slice=0%2C0", 8, "6c3c396ed6b5"],
    ["full/A?expected_shape=2%2C3&slice=0%3A2%3A1%2C0%3A3%3A1", 48, "961e76f1c44f"],
    ["full/A?slice=-1", 800, "c08966543ff0"],
    ["full/A?slice=::2", 40_000, "ad20857a32f3"],
    ["full/A?slice=98:1000", 1600, "e4d8a08d6fb2"],
    ["full/A?slice=5:2:-1", 2400, "5b638086c129"],
    ["full/A?slice=1:2,3:9:4", 16, "5f07eef034c5"],
    ["full/A?slice=5:2", 0, "e3b0c44298fc"],
    ["full/B", 8_000_000, "65827336cab3"],
    ["full/B?slice=1,:,::50", 1600, "e4d8a08d6fb2"],
    ["full/C/x?expected_shape=3&slice=0%3A3%3A1", 24, "cc143326a264"],
    ["full/C/y?slice=0:3", 24, "d8d6f3145190"],
    ["full/D/time", 24, "e2e2033ae7e1"],
    ["full/D/temperature", 24, "e35866f942de"],
    ["full/D/time?slice=1", 8, "d86e8112f3c4"],
    ["block/A?block=0%2C0&expected_shape=100%2C100", 80_000, "37895d84a413"],
    ["block/A?block=0,0&slice=0:2,0:3&expected_shape=2,3", 48, "961e76f1c44f"],
    ["block/A?block=0,0&slice=::-50,::-50", 32, "c914e8188e43"],
    ["block/D/time?block=0", 24, "e2e2033ae7e1"],
    ["block/B?block=0,0,0&slice=0,0,0:2", 16, "5f07eef034c5"],
  ] as const) {
    const response = await t.call({
      url: `/api/v1/array/${path}`,
      headers: { accept: "application/octet-stream" },
    });
    assert.equal(response.headers["content-type"], "application/octet-stream", path);
    assert.deepEqual([response.rawPayload.length, sha(response.rawPayload)], [length, digest], path);
  }
});

test("JSON and CSV keep floats and integers apart", async () => {
  await using t = await open();
  for (const [path, type, body] of [
    ["A?slice=0:2,0:2&format=json", "application/json", "[[1.0,1.0],[1.0,1.0]]"],
    ["A?slice=0,0&format=json", "application/json", "1.0"],
    ["A?slice=0:0,0:2&format=json", "application/json", "[]"],
    ["A?slice=0:2,0:0&format=json", "application/json", "[[],[]]"],
    ["B?slice=0:2,0:1,0:2&format=application/json", "application/json", "[[[1.0,1.0]],[[1.0,1.0]]]"],
    ["D/temperature?slice=::-1&format=json", "application/json", "[98,99,100]"],
    ["A?slice=0:2,0:2&format=csv", "text/csv; charset=utf-8", "1.0,1.0\n1.0,1.0\n"],
    ["A?slice=0:1,0:2&format=txt", "text/plain; charset=utf-8", "1.0,1.0\n"],
    ["A?slice=0,0&format=csv", "text/csv; charset=utf-8", "1.0\n"],
    ["A?slice=0:0,0:2&format=csv", "text/csv; charset=utf-8", ""],
    ["D/time?format=nope,csv", "text/csv; charset=utf-8", "1\n2\n3\n"],
  ] as const) {
    const response = await t.call(`/api/v1/array/full/${path}`);
    assert.equal(response.headers["content-type"], type, path);
    assert.equal(response.body, body, path);
  }
});

test("the first media type that is offered is taken, bytes where any will do", async () => {
  await using t = await open();
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
  for (const [accept, type] of [
    [undefined, "application/octet-stream"],
    ["*/*", "application/octet-stream"],
    [browser, "application/octet-stream"],
    ["application/json", "application/json"],
    ["text/nope, application/json", "application/json"],
    ["APPLICATION/JSON;q=0.1,application/octet-stream", "application/json"],
    ["text/nope", null],
    // Short names are for the query only.
    ["json", null],
  ] as const) {
    const response = await t.call({
      url: "/api/v1/array/full/A?slice=0:1,0:2",
      headers: accept === undefined ? {} : { accept },
    });
    assert.equal(response.statusCode, type === null ? 406 : 200, accept);
    if (type !== null) assert.equal(response.headers["content-type"], type, accept);
  }
  const refused = await t.call(`/api/v1/array/full/A?format=${"x".repeat(5000)}`);
  assert.equal(refused.statusCode, 406);
  assert.match(refused.body, /Supported: application\/octet-stream, application\/json, text\/csv/);
  assert.ok(refused.body.length < 1000);
});

test("parameters that do not fit the array are refused, with the shape and without the value", async () => {
  await using t = await open();
  for (const [path, status] of [
    ["full/A?slice=500,0", 400],
    ["full/A?slice=-101", 400],
    ["full/A?slice=0,0,0", 400],
    ["full/A?slice=::0", 400],
    ["full/A?slice=::x", 422],
    ["full/A?slice=0,", 422],
    [`full/A?slice=${"0,".repeat(3000)}0`, 422],
    ["full/A?expected_shape=5", 422],
    ["full/A?expected_shape=scalar", 422],
    ["full/A?expected_shape=100,100,1", 422],
    ["full/A?expected_shape=5,", 422],
    ["full/A?expected_shape=", 422],
    [`full/A?expected_shape=${"9".repeat(400)}`, 422],
    ["block/A", 422],
    ["block/A?block=0", 422],
    ["block/A?block=0,0,0", 422],
    ["block/A?block=5,5", 422],
    ["block/A?block=-1,0", 422],
    ["block/A?block=,0", 422],
    [`block/A?block=${"9".repeat(400)},0`, 422],
    ["block/A?block=0,0&slice=100", 422],
    ["block/A?block=0,0&expected_shape=5", 422],
    ["full/B?slice=0:2,0:2,0:2&format=csv", 406],
    ["full/A?format=html", 406],
    ["full/B?format=json", 400],
    ["full/C", 404],
    ["full/D", 404],
    ["full/", 404],
    ["full/C/nope", 404],
    ["block/C?block=0", 404],
  ] as const) {
    const response = await t.call(`/api/v1/array/${path}`);
    assert.equal(response.statusCode, status, path.slice(0, 40));
    assert.equal(response.headers["content-type"], "application/json");
    assert.ok(response.body.length < 600, path.slice(0, 40));
  }
  const { detail } = (await t.call("/api/v1/array/full/A?expected_shape=77&slice=0:2")).json<{
    detail: string;
  }>();
  assert.match(detail, /the actual shape \(2, 100\)/);
  assert.doesNotMatch(detail, /77/);
});

test("a name to save under cannot break out of its header", async () => {
  await using t = await open();
  for (const [name, header] of [
    ["a.csv", 'attachment; filename="a.csv"'],
    [
      "a%22b%0D%0AX-Evil: 1.csv",
      `attachment; filename="a_b__X-Evil: 1.csv"; filename*=UTF-8''a%22b%0D%0AX-Evil%3A%201.csv`,
    ],
    ["%C3%A9'(1)*.csv", `attachment; filename="_'(1)*.csv"; filename*=UTF-8''%C3%A9%27%281%29%2a.csv`],
  ] as const) {
    const response = await t.call(`/api/v1/array/full/D/time?format=csv&filename=${name}`);
    assert.equal(response.headers["content-disposition"], header);
    assert.equal(response.headers["x-evil"], undefined);
  }
});

test("unchanged data are not sent again", async () => {
  await using t = await open();
  const url = "/api/v1/array/full/A?slice=0:2";
  const etag = String((await t.call(url)).headers.etag);
  assert.equal((await t.call({ url, headers: { "if-none-match": etag } })).statusCode, 304);
  const other = await t.call({ url: `${url}&format=json`, headers: { "if-none-match": etag } });
  assert.equal(other.statusCode, 200);
});
