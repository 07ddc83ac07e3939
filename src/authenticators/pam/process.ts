/**
 * A helper process as the server sees it: one question and answer at a time. PAM modules are foreign code that may block,
 * crash, fork or change the process they run in; a separate process can be killed and replaced.
 */
import { fork } from "node:child_process";
import { entryUrl } from "../../lib/entry.ts";
import type { PamReply, PamRequest } from "./helper.ts";

export interface Helper {
  /** Rejects if the process ends before it answers. One question at a time. */
  ask(request: PamRequest): Promise<PamReply>;
  alive(): boolean;
  /** Kills the process at once. */
  kill(): Promise<void>;
}

/** The server's environment may contain secrets: helpers, and programs that PAM modules start, get these variables only. */
const ENVIRONMENT = /^(PATH|TZ|LANG|LC_\w+|LD_\w+|KRB5\w*)$/;

export function startHelper(): Helper {
  const environment = Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name));
  const child = fork(entryUrl("src/authenticators/pam/helper"), {
    serialization: "advanced",
    execArgv: [],
    env: Object.fromEntries(environment),
    cwd: "/",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  // An idle helper must not keep the server from ending.
  child.unref();
  child.channel?.unref();

  let settle: { resolve(reply: PamReply): void; reject(reason: Error): void } | undefined;
  const fail = (reason: Error): void => settle?.reject(reason);
  child.on("message", (reply: PamReply) => settle?.resolve(reply));
  child.on("error", fail);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      fail(new Error(`The PAM helper process ended (${signal ?? `exit code ${code}`}) before it answered.`));
      resolve();
    });
    child.once("error", () => child.pid === undefined && resolve());
  });

  return {
    async ask(request) {
      child.ref();
      child.channel?.ref();
      try {
        return await new Promise<PamReply>((resolve, reject) => {
          settle = { resolve, reject };
          child.send(request, (error) => error && reject(error));
        });
      } finally {
        settle = undefined;
        child.unref();
        child.channel?.unref();
      }
    },
    alive: () => child.connected,
    async kill() {
      child.ref();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
