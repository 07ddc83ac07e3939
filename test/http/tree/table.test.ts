import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatchReader, tableFromIPC } from "apache-arrow";
import { testApp } from "../../support/app.ts";

const open = () => testApp({ providers: false, authentication: { allowAnonymousAccess: true } });

const ARROW = "application/vnd.apache.arrow.file";

function read(bytes: Buffer) {
  const table = tableFromIPC(bytes);
  return {
    columns: table.schema.fields.map(({ name, type }) => `${name} ${type}`),
    rows: table.toArray().map((row) => Object.values((row as { toJSON(): object }).toJSON())),
    pandas: JSON.parse(table.schema.metadata.get("pandas") ?? "null") as {
      index_columns: unknown;
      columns: unknown;
    },
  };
}

test("the partitions of a table are its rows, labelled in order", async () => {
  await using t = await open();
  const labels: bigint[] = [];
  for (const [partition, length] of [34, 33, 33].entries()) {
    const response = await t.call({
      url: `/api/v1/table/partition/C?partition=${partition}`,
      headers: { accept: ARROW },
    });
    assert.equal(response.headers["content-type"], ARROW);
    assert.equal(response.rawPayload.subarray(0, 6).toString(), "ARROW1");
    const { columns, rows, pandas } = read(response.rawPayload);
    assert.deepEqual(columns, ["x Float64", "y Float64", "z Float64", "__index_level_0__ Int64"]);
    assert.equal(rows.length, length);
    for (const row of rows) {
      assert.deepEqual(row.slice(0, 3), [1, 2, 3]);
      labels.push(row[3] as bigint);
    }
    assert.deepEqual(pandas.index_columns, ["__index_level_0__"]);
  }
  assert.deepEqual(
    labels,
    Array.from({ length: 100 }, (_, label) => BigInt(label)),
  );
});

test("columns are sent in the requested order", async () => {
  await using t = await open();
  for (const path of ["full/C?column=z&column=x", "partition/C?partition=-1&field=z&field=x&format=arrow"]) {
    const { columns, rows } = read((await t.call(`/api/v1/table/${path}`)).rawPayload);
    assert.deepEqual(columns, ["z Float64", "x Float64", "__index_level_0__ Int64"]);
    assert.deepEqual(rows.at(-1), [3, 1, 99n]);
  }
  const once = await t.call("/api/v1/table/full/C?column=y&column=y&format=csv");
  assert.equal(once.body.split("\n", 1)[0], "y");
});

test("the structure's schema is that of the data, without rows", async () => {
  await using t = await open();
  const { data } = (await t.call("/api/v1/metadata/C")).json<{
    data: { attributes: { structure: { arrow_schema: string; npartitions: number; columns: string[] } } };
  }>();
  const { arrow_schema, npartitions, columns } = data.attributes.structure;
  assert.deepEqual([npartitions, columns], [3, ["x", "y", "z"]]);
  const prefix = "data:application/vnd.apache.arrow.file;base64,";
  assert.ok(arrow_schema.startsWith(prefix));
  const reader = RecordBatchReader.from(Buffer.from(arrow_schema.slice(prefix.length), "base64")).open();
  assert.deepEqual(
    reader.schema.fields.map(({ name, type, nullable }) => `${name} ${type} ${nullable}`),
    ["x Float64 true", "y Float64 true", "z Float64 true"],
  );
  const pandas = JSON.parse(reader.schema.metadata.get("pandas") ?? "") as { index_columns: unknown };
  assert.deepEqual(pandas.index_columns, [{ kind: "range", name: null, start: 0, stop: 0, step: 1 }]);
});

test("JSON and CSV", async () => {
  await using t = await open();
  for (const [path, type, start, length] of [
    ["partition/C?partition=1&format=json&column=x", "application/json", '{"x":[1.0,1.0,', 139],
    ["partition/C?partition=0&format=csv", "text/csv; charset=utf-8", "x,y,z\n1.0,2.0,3.0\n", 414],
    ["full/C?format=csv&column=x", "text/csv; charset=utf-8", "x\n1.0\n", 402],
    [
      "full/C?format=text/csv%3Bheader=absent&column=x",
      "text/csv; header=absent; charset=utf-8",
      "1.0\n1.0\n",
      400,
    ],
  ] as const) {
    const response = await t.call(`/api/v1/table/${path}`);
    assert.equal(response.headers["content-type"], type, path);
    assert.ok(response.body.startsWith(start), path);
    assert.equal(response.body.length, length, path);
  }
});

test("a dataset's variables are columns, its dimension is the index", async () => {
  await using t = await open();
  const all = async (query: string) => {
    const response = await t.call(
      `/api/v1/container/full/D?format=application%2Fvnd.apache.arrow.file${query}`,
    );
    assert.equal(response.headers["content-type"], ARROW);
    return read(response.rawPayload);
  };
  const both = await all("");
  assert.deepEqual(both.columns, ["temperature Int64", "time Int64"]);
  assert.deepEqual(both.rows, [
    [100n, 1n],
    [99n, 2n],
    [98n, 3n],
  ]);
  assert.deepEqual(both.pandas.index_columns, ["time"]);
  assert.deepEqual((await all("&field=time")).rows, [[1n], [2n], [3n]]);
  assert.deepEqual((await all("&field=temperature")).rows, both.rows);
  for (const [query, body] of [
    ["format=json", '{"temperature":[100,99,98]}'],
    ["format=csv&field=temperature", "temperature\n100\n99\n98\n"],
    ["format=json&field=time", "{}"],
  ] as const) {
    assert.equal((await t.call(`/api/v1/container/full/D?${query}`)).body, body);
  }
});

test("any other container lists its content", async () => {
  await using t = await open();
  const leaf = { contents: {}, metadata: {} };
  const variable = { contents: {}, metadata: { attrs: {} } };
  const response = await t.call("/api/v1/container/full/?format=json&field=C&field=D");
  assert.deepEqual(response.json(), {
    contents: {
      C: { contents: { x: leaf, y: leaf, z: leaf }, metadata: {} },
      D: { contents: { temperature: variable, time: variable }, metadata: { attrs: {} } },
    },
    metadata: { thing: "stuff" },
  });
  assert.equal((await t.call("/api/v1/container/full/?format=csv")).statusCode, 406);
});

test("absent columns and partitions are refused", async () => {
  await using t = await open();
  for (const [path, status] of [
    ["table/partition/C", 422],
    ["table/partition/C?partition=x", 422],
    ["table/partition/C?partition=3", 400],
    ["table/partition/C?partition=-4", 400],
    ["table/partition/C?partition=99999999999999999999", 400],
    ["table/partition/C?partition=0&column=nope", 400],
    ["table/partition/C?partition=0&column=", 400],
    ["table/partition/C?partition=0&column=__proto__", 400],
    ["table/partition/C?partition=0&column=x&field=y", 400],
    ["table/partition/C?partition=0&format=nope", 406],
    ["table/partition/A?partition=0", 404],
    ["table/full/D", 404],
    ["table/full/C/x", 404],
    ["container/full/D?field=nope", 400],
    ["container/full/D?format=h5", 406],
    ["container/full/C", 404],
    ["container/full/nope", 404],
  ] as const) {
    const response = await t.call(`/api/v1/${path}`);
    assert.equal(response.statusCode, status, path);
    assert.equal(response.headers["content-type"], "application/json");
  }
});
