import assert from "node:assert/strict";
import { test } from "node:test";
import { DEVICE_REFUSALS } from "../../src/domain/ports/logins.ts";
import { type DeviceForm, deviceConfirmed, deviceForm, deviceRefused } from "../../src/pages/device.ts";

const SITE = { title: "Tiled", logo: null, contact: "help@example.org", version: "1" };
const HOSTILE = `"><script>alert('x')</script>`;

function form(changes: Partial<DeviceForm> = {}): string {
  return deviceForm({
    site: SITE,
    basePath: "",
    action: "/api/v1/auth/provider/orcid/device_code?code=1&state=2",
    token: "t",
    userCode: "",
    provider: "orcid",
    identity: "ann",
    program: "Tiled for Python 0.2.20",
    address: "192.0.2.7",
    sameAddress: false,
    age: 0,
    problem: null,
    caveTokensUrl: null,
    ...changes,
  }).text;
}

test("what comes from outside is shown as text", () => {
  const page = form({
    identity: HOSTILE,
    program: HOSTILE,
    action: HOSTILE,
    provider: HOSTILE,
    address: HOSTILE,
  });
  assert.ok(!page.includes("<script"));
  assert.ok(!deviceConfirmed({ site: SITE, basePath: "" }, HOSTILE, 5).text.includes("<script"));
});

test("the age in words", () => {
  assert.match(form({ age: 0 }), /less than a minute ago/);
  assert.match(form({ age: 1 }), />a minute ago/);
  assert.match(form({ age: 14 }), />14 minutes ago/);
});

test("a problem is told to screen readers, too", () => {
  assert.ok(!form().includes('role="alert"'));
  for (const problem of ["empty", "wrong", "throttled"] as const) {
    assert.match(
      form({ problem }),
      /role="alert".*aria-describedby="code-problem code-hint" aria-invalid="true"/s,
    );
  }
});

test("cancelling needs no code", () => {
  assert.match(form(), /<input [^>]*required autofocus/);
  assert.match(form(), /name="cancel" value="1" formnovalidate/);
});

test("every refusal has words that say what to do next", () => {
  for (const reason of DEVICE_REFUSALS) {
    const page = deviceRefused({ site: SITE, basePath: "/x" }, reason).text;
    assert.match(page, /start the login again|ask the operator/i, reason);
    assert.match(page, /href="\/x\/"/);
  }
});

test("the form leads people of CAVE to the page of their tokens, where the server speaks CAVE", () => {
  const caveTokensUrl = "https://cave.example.org/sticky_auth/settings/tokens";
  assert.ok(form({ caveTokensUrl }).includes(`<a href="${caveTokensUrl}">your CAVE tokens</a>`));
  assert.doesNotMatch(form(), /cave/i);
});
