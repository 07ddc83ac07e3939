/**
 * Shows a device login (RFC 8628 §3.3): the code, the address, a QR code of it, and on a terminal the time that is left.
 */
import type { Verification } from "../../client/device-code-grant.ts";
import { type Progress, progressOn } from "../console/progress.ts";
import { styleOf } from "../console/style.ts";
import type { Terminal } from "../console/terminal.ts";
import { openBrowser } from "./browser.ts";

export class DeviceScreen {
  readonly #terminal: Terminal;
  readonly #browser: boolean;
  readonly #progress: Progress;
  #timer: NodeJS.Timeout | undefined;

  /** `browser`: whether one may be opened. */
  constructor(terminal: Terminal, browser: boolean) {
    this.#terminal = terminal;
    this.#browser = browser;
    this.#progress = progressOn(terminal);
  }

  async show({ verificationUri, userCode, expiresIn }: Verification): Promise<void> {
    const { errView } = this.#terminal;
    const { bold } = styleOf(errView);
    const print = (text: string) => this.#terminal.err(text);
    print(errView.terminal ? `\n${boxed(userCode, bold)}\n` : `Code: ${userCode}`);
    print(`Open this address in a browser and enter the code:`);
    print(errView.terminal ? `\n  ${verificationUri}\n` : verificationUri);
    const { qrCode } = await import("./qr-code.ts");
    const code = qrCode(verificationUri, this.#terminal);
    if (code !== null) print(`${code}\n`);
    if (this.#browser && openBrowser(verificationUri, this.#terminal)) print("Your browser was opened.");
    if (!errView.terminal) print(`Waiting. The code expires in ${timeLeft(expiresIn)} minutes.`);
    this.#countDown(userCode, performance.now() + expiresIn * 1000);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#progress.clear();
  }

  /** The code comes first: a QR code may have moved it off the screen, and a narrow terminal cuts the line. */
  #countDown(code: string, deadline: number): void {
    const draw = () => {
      const left = Math.max(0, Math.round((deadline - performance.now()) / 1000));
      this.#progress.set(`Code ${code}, ${timeLeft(left)} left. Waiting for the login in the browser`);
    };
    draw();
    this.#timer = setInterval(draw, 1000).unref();
  }
}

/** Minutes and seconds. */
function timeLeft(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function boxed(code: string, bold: (text: string) => string): string {
  const line = "─".repeat(code.length + 6);
  return [`  ╭${line}╮`, `  │   ${bold(code)}   │`, `  ╰${line}╯`].join("\n");
}
