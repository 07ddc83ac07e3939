import assert from "node:assert/strict";
import { test } from "node:test";
import { programName } from "../../src/pages/program.ts";

test("programs are called what a person would call them", () => {
  const names: readonly (readonly [string | null, string | null])[] = [
    [null, null],
    ["  ", null],
    ["python-tiled/0.2.20", "Tiled for Python 0.2.20"],
    ["curl/8.1", "curl/8.1"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
      "Chrome on Windows",
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0",
      "Edge on Windows",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
      "Safari on an iPhone",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15",
      "Safari on a Mac",
    ],
    ["Mozilla/5.0 Firefox/1", "Firefox"],
    ["not Mozilla, but Firefox/1 on Linux", "not Mozilla, but Firefox/1 on Linux"],
  ];
  for (const [userAgent, name] of names) assert.equal(programName(userAgent), name, String(userAgent));
});

test("a name is never long", () => {
  assert.equal(programName("x".repeat(100)), `${"x".repeat(80)}…`);
  assert.ok((programName(`python-tiled/${"9".repeat(300)}`)?.length ?? 0) < 80);
});
