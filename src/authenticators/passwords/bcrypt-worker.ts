/**
 * The thread that checks bcrypt hashes. bcryptjs computes in JavaScript, which would hold up all requests. `bcrypt.ts` starts it.
 */
import { parentPort } from "node:worker_threads";
import { compareSync } from "bcryptjs";
import type { BcryptAnswer, BcryptQuestion } from "./bcrypt.ts";

parentPort?.on("message", ({ id, password, hash }: BcryptQuestion) => {
  let answer: BcryptAnswer;
  try {
    answer = { id, right: compareSync(password, hash) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.name : "unknown" };
  }
  parentPort?.postMessage(answer);
});
