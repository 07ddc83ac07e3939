/** Parts of a login in the browser: the QR code, and the command that opens the browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { encode } from "uqr";
import { browserCommand } from "../../../src/cli/client/browser.ts";
import { qrCode } from "../../../src/cli/client/qr-code.ts";
import { TestTerminal } from "../../support/terminal.ts";

const URL = "https://tiled.example.org/device";
const shown = (look: object = {}, env = {}) =>
  qrCode(URL, new TestTerminal(env, "", { terminal: true, colours: true, columns: 60, ...look }));

/** Whether each module has ink. */
function inkOf(code: string): boolean[][] {
  return stripVTControlCharacters(code)
    .split("\n")
    .flatMap((line) => {
      const blocks = [...line.slice(2)];
      return [blocks.map((block) => "█▀".includes(block)), blocks.map((block) => "█▄".includes(block))];
    });
}

test("a QR code is dark on light on any background", () => {
  const { data, size } = encode(URL, { ecc: "L", border: 2 });
  const light = data.map((row) => row.map((dark) => !dark));
  const modules = (code: string | null) => inkOf(code ?? "").slice(0, size);
  assert.match(shown() ?? "", /^ {2}.\[38;5;16;48;5;231m/);
  assert.deepEqual(modules(shown()), data);
  assert.deepEqual(modules(shown({ colours: false })), light);
  assert.deepEqual(modules(shown({ colours: false }, { COLORFGBG: "0;15" })), data);
  assert.deepEqual(modules(shown({ colours: false }, { COLORFGBG: "15;0" })), light);
});

test("no QR code where it does not fit", () => {
  assert.equal(shown({ columns: 59 }), null);
  assert.equal(shown({ terminal: false }), null);
  assert.equal(shown({}, { TERM: "dumb" }), null);
  const terminal = new TestTerminal({}, "", { terminal: true, columns: 100 });
  assert.equal(qrCode(`${URL}?${"x".repeat(1000)}`, terminal), null);
  assert.equal(qrCode(`${URL}?${"x".repeat(5000)}`, terminal), null);
});

test("the browser is the person's, and no shell sees the address", () => {
  const url = "https://h/?a=$(id)&b=%s";
  const command = (env: Record<string, string>, platform: NodeJS.Platform = "linux") =>
    browserCommand(url, env, platform);
  assert.deepEqual(command({ BROWSER: "firefox --new-tab" }), ["firefox", "--new-tab", url]);
  assert.deepEqual(command({ BROWSER: "firefox %s --safe:other" }), ["firefox", url, "--safe"]);
  assert.deepEqual(command({ DISPLAY: ":0", BROWSER: "" }), ["xdg-open", url]);
  assert.deepEqual(command({ WAYLAND_DISPLAY: "wayland-0" }), ["xdg-open", url]);
  assert.equal(command({}), null);
  assert.deepEqual(command({}, "darwin"), ["open", url]);
  for (const found of [command({}, "win32"), command({ WSL_DISTRO_NAME: "Debian" })])
    assert.deepEqual(found, ["rundll32.exe", "url.dll,FileProtocolHandler", url]);
});
