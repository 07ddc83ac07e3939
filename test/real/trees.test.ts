/**
 * The real Python client reads our trees: the larger example, which is the same from the real Tiled, and a folder of files,
 * which NumPy and pandas have written.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folders.ts";
import { oursCommand } from "../support/ours.ts";
import { run, type Server } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { referenceCommand } from "../support/reference.ts";

const SCRIPT = fileURLToPath(new URL("trees.py", import.meta.url));
const TIMEOUT = { timeout: 600_000 };
const KEY = ["--api-key", "secret"] as const;

interface Report {
  readonly kind: string;
  readonly metadata: unknown;
  readonly keys?: readonly string[];
  readonly below?: Readonly<Record<string, Report>>;
  readonly [fact: string]: unknown;
}

async function read(t: TestContext, server: Server, skip: readonly string[] = []): Promise<Report> {
  const env = { TILED_CACHE_DIR: await temporaryFolder(t.after.bind(t)), PYTHONWARNINGS: "ignore" };
  const { code, stdout, stderr } = await run([program("python"), SCRIPT, server.url, "secret", ...skip], {
    env,
  });
  const report = /^REPORT (.*)$/m.exec(stdout)?.[1];
  if (code !== 0 || report === undefined) throw new Error(`trees.py ended with ${code}:\n${stderr}`);
  return JSON.parse(report) as Report;
}

/** Values of random arrays, which are others here than in Python; their shapes, types and chunks are the same. */
const RANDOM = /^(?:nested|tables|flat_array|high_entropy)\b.*\.(?:data|slice|end)\b/;
/** The digest of a variable's values, behind its type and dimensions. */
const VARIABLE = /^structured_data\.xarray_dataset\.variables\.(?:precipitation|temperature)$/;

function facts(report: unknown, path: string, found: Map<string, unknown>): Map<string, unknown> {
  if (typeof report !== "object" || report === null || Array.isArray(report)) found.set(path, report);
  else {
    for (const [key, value] of Object.entries(report))
      facts(value, key === "below" || path === "" ? (key === "below" ? path : key) : `${path}.${key}`, found);
  }
  return found;
}

describe("the real Python client", { skip: withoutTiled() }, () => {
  test("reads a larger example of the same structure from us as from the real Tiled", TIMEOUT, async (t) => {
    const cleanup = t.after.bind(t);
    const tree = ["pyobject", "tiled.examples.generated:tree", ...KEY];
    const skip = ["dynamic", "sparse_image", "awkward_array", "ragged_array"];
    const expected = await read(t, await referenceCommand(cleanup, tree), skip);
    const got = facts(await read(t, await oursCommand(cleanup, tree), skip), "", new Map());
    const wanted = facts(expected, "", new Map());
    assert.ok(wanted.size > 150, `${wanted.size}`);
    for (const [path, value] of wanted) {
      const seen = got.get(path);
      if (VARIABLE.test(path))
        assert.deepEqual((seen as unknown[]).slice(0, 2), (value as unknown[]).slice(0, 2), path);
      else if (!RANDOM.test(path)) assert.deepEqual(seen, value, path);
    }
    assert.equal(got.size, wanted.size);
  });

  test("sees an array that changes while it is served", TIMEOUT, async (t) => {
    const server = await oursCommand(t.after.bind(t), ["pyobject", "tiled.examples.generated:tree", ...KEY]);
    const url = `${server.url}/api/v1/array/full/dynamic?format=json`;
    const value = async () => {
      const response = await fetch(url, { headers: { authorization: "Apikey secret" } });
      return ((await response.json()) as number[][])[2]?.[2];
    };
    assert.ok([1, 2].includes((await value()) ?? 0));
  });

  test("reads a folder of files that NumPy and pandas have written", TIMEOUT, async (t) => {
    const cleanup = t.after.bind(t);
    const folder = await temporaryFolder(cleanup);
    const made = await run([
      program("python"),
      "-c",
      `
import numpy, os, pandas, sys
os.chdir(sys.argv[1])
os.makedirs("run 1/deep")
numpy.save("image.npy", numpy.arange(3_000_000, dtype="u2").reshape(1000, 3000))
numpy.save("run 1/fortran.npy", numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4)))
numpy.save("run 1/deep/größe 日本.npy", numpy.array(["a", "déf"]))
numpy.save("run 1/big-endian.npy", numpy.arange(5, dtype=">i4"))
numpy.save("run 1/times.npy", numpy.array(["2020-01-01", "2021-06-30"], dtype="M8[D]"))
pandas.DataFrame({"n": range(5000), "x": numpy.linspace(0, 1, 5000), "word": ["w,%d" % i for i in range(5000)]}).to_csv("table.csv", index=False)
`,
      folder,
    ]);
    assert.equal(made.code, 0, made.stderr);
    await writeFile(`${folder}/table.json`, '{"sample": {"name": "rock", "größe": 1.5}}');
    await writeFile(`${folder}/notes.txt`, "not served");
    const server = await oursCommand(cleanup, ["directory", folder, ...KEY]);
    const report = await read(t, server);
    assert.deepEqual(report.keys, ["image", "run 1", "table"]);
    const { image, table, "run 1": run1 } = report.below ?? {};
    assert.deepEqual([image?.["type"], image?.["shape"]], ["uint16", [1000, 3000]]);
    assert.deepEqual(table?.metadata, { sample: { name: "rock", größe: 1.5 } });
    assert.deepEqual(table?.["index"], [null, 0, 4999]);
    assert.deepEqual(run1?.keys, ["big-endian", "deep", "fortran", "times"]);
    assert.deepEqual(run1?.below?.["deep"]?.keys, ["größe 日本"]);
    assert.equal(run1?.below?.["big-endian"]?.["type"], ">i4");

    const whole = await run([
      program("python"),
      "-c",
      `
import numpy, pandas, sys
from tiled.client import from_uri
c = from_uri(sys.argv[1], api_key="secret")
folder = sys.argv[2]
for key in ["image", "run 1/fortran", "run 1/deep/größe 日本", "run 1/big-endian", "run 1/times"]:
    numpy.testing.assert_array_equal(c[tuple(key.split("/"))].read(), numpy.load(f"{folder}/{key}.npy"), strict=True)
numpy.testing.assert_array_equal(c["image"][::-7, 5:2000:3], numpy.load(f"{folder}/image.npy")[::-7, 5:2000:3])
table = pandas.read_csv(f"{folder}/table.csv")
pandas.testing.assert_frame_equal(c["table"].read(), table, check_dtype=False)
pandas.testing.assert_frame_equal(c["table"].read(["word"]), table[["word"]], check_dtype=False)
assert list(c["table"]["word"][10:20:3]) == list(table["word"][10:20:3])
`,
      server.url,
      folder,
    ]);
    assert.equal(whole.code, 0, whole.stderr);
    assert.equal(server.output().split("notes.txt").length, 2);
  });
});
