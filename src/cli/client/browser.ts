/**
 * Opens a web page in the person's browser: `$BROWSER`, else that of the platform. Not over SSH, where it would open on another
 * machine.
 */
import { spawn } from "node:child_process";
import type { Terminal } from "../console/terminal.ts";

/** False if no browser was opened. `url`: http or https. */
export function openBrowser(url: string, terminal: Terminal, platform = process.platform): boolean {
  const { env, input, errView } = terminal;
  if (input.isTTY !== true || !errView.terminal) return false;
  if (env["SSH_CONNECTION"] || env["SSH_TTY"]) return false;
  if (!/^https?:\/\//.test(url)) return false;
  const command = browserCommand(url, env, platform);
  if (command === null) return false;
  const [program = "", ...args] = command;
  try {
    spawn(program, args, { detached: true, stdio: "ignore", env })
      .on("error", () => {})
      .unref();
    return true;
  } catch {
    return false;
  }
}

/** Null on a machine without a desktop. No shell sees the address. */
export function browserCommand(
  url: string,
  env: Terminal["env"],
  platform: NodeJS.Platform,
): readonly string[] | null {
  const own = env["BROWSER"]?.trim().split(/:(?!\\)/)[0];
  if (own) {
    const words = own.split(/\s+/);
    return own.includes("%s") ? words.map((word) => word.replaceAll("%s", () => url)) : [...words, url];
  }
  if (platform === "darwin") return ["open", url];
  if (platform === "win32" || env["WSL_DISTRO_NAME"])
    return ["rundll32.exe", "url.dll,FileProtocolHandler", url];
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? ["xdg-open", url] : null;
}
