/**
 * libpam (Linux-PAM) through koffi: one login is pam_start, pam_authenticate, pam_acct_mgmt, pam_end, on the calling
 * thread, which it blocks. Only `helper.ts` calls this, in a process of its own.
 */
import { isUtf8 } from "node:buffer";
import koffi from "koffi";
import { PAM_CONV_ERR, PAM_SUCCESS } from "./codes.ts";

export interface PamOutcome {
  readonly code: number;
  /** The function that returned the code, and libpam's text for it. For the log. */
  readonly text: string;
  /** The stack asked for the password. */
  readonly asked: boolean;
  /** PAM's name of the user (PAM_USER), which a module may have changed. Absent if PAM has none, or it is not UTF-8. */
  readonly user?: string;
  /** The delay after a failure that the stack wants, in milliseconds. */
  readonly delay: number;
}

export interface Pam {
  /** Whether libpam can open the service. */
  probe(service: string): PamOutcome;
  /** `username` and `password` are UTF-8 and end in a NUL byte. */
  login(service: string, username: Uint8Array, password: Uint8Array): PamOutcome;
}

const PROMPT_ECHO_OFF = 1;
const PROMPT_ECHO_ON = 2;
const ERROR_MSG = 3;
const TEXT_INFO = 4;
const MAX_MESSAGES = 32;
/** A module that repeats its prompts must end. */
const MAX_PROMPTS = 16;

const ITEM_USER = 2;
const ITEM_TTY = 3;
const ITEM_FAIL_DELAY = 10;
const SILENT = 0x8000;
/** Without it `pam_unix nullok` accepts any password for an account without one. */
const DISALLOW_NULL_AUTHTOK = 1;

interface Attempt {
  readonly username: Uint8Array;
  readonly password: Uint8Array;
  prompts: number;
  asked: boolean;
  delay: number;
}

function newAttempt(username: Uint8Array, password: Uint8Array): Attempt {
  return { username, password, prompts: 0, asked: false, delay: 0 };
}

export function openPam(): Pam {
  // PAM modules run on koffi's own stack, and some (LDAP, Kerberos) need more than its default.
  koffi.config({ sync_stack_size: 8 << 20 });
  const lib = koffi.load("libpam.so.0");
  // libpam frees our answers, so they must come from the malloc of the process, not from a libc that is loaded by name.
  const libc = koffi.load(null);
  const calloc = libc.func("calloc", "void *", ["size_t", "size_t"]);
  const free = libc.func("free", "void", ["void *"]);
  const strlen = libc.func("strlen", "size_t", ["void *"]);
  const strdup = libc.func("strdup", "void *", ["const uint8_t *"]);

  const Message = koffi.struct({ style: "int", text: "void *" });
  const Response = koffi.struct({ text: "void *", code: "int" });
  const Converse = koffi.proto("int", ["int", "void *", "void *", "void *"]);
  const Delay = koffi.proto("void", ["int", "uint", "void *"]);
  const Conversation = koffi.struct({ converse: "void *", data: "void *" });

  const handle = koffi.out(koffi.pointer("void *"));
  const start = lib.func("pam_start", "int", ["str", "const uint8_t *", koffi.pointer(Conversation), handle]);
  const setText = lib.func("pam_set_item", "int", ["void *", "int", "str"]);
  const setPointer = lib.func("pam_set_item", "int", ["void *", "int", "void *"]);
  const authenticate = lib.func("pam_authenticate", "int", ["void *", "int"]);
  const account = lib.func("pam_acct_mgmt", "int", ["void *", "int"]);
  const end = lib.func("pam_end", "int", ["void *", "int"]);
  const getItem = lib.func("pam_get_item", "int", ["void *", "int", handle]);
  const strerror = lib.func("pam_strerror", "str", ["void *", "int"]);

  let attempt: Attempt | undefined;

  function answer(style: number): bigint | null {
    if (attempt === undefined || ++attempt.prompts > MAX_PROMPTS) throw new RangeError("too many prompts");
    if (style === PROMPT_ECHO_OFF) attempt.asked = true;
    const copy: bigint | null = strdup(style === PROMPT_ECHO_OFF ? attempt.password : attempt.username);
    if (copy === null) throw new RangeError("out of memory");
    return copy;
  }

  const converse = koffi.register((count: number, messages: bigint, result: bigint): number => {
    if (count < 1 || count > MAX_MESSAGES) return PAM_CONV_ERR;
    const size = koffi.sizeof(Response);
    const responses: bigint | null = calloc(count, size);
    if (responses === null) return PAM_CONV_ERR;
    try {
      for (let index = 0; index < count; index++) {
        // Linux-PAM passes an array of pointers; Solaris passes a pointer to an array.
        const message = koffi.decode(messages, index * koffi.sizeof("void *"), "void *");
        const { style } = koffi.decode(message, Message) as { style: number };
        if (style === ERROR_MSG || style === TEXT_INFO) continue;
        if (style !== PROMPT_ECHO_OFF && style !== PROMPT_ECHO_ON) throw new RangeError("unknown prompt");
        koffi.encode(responses, index * size, "void *", answer(style));
      }
    } catch {
      for (let index = 0; index < count; index++) free(koffi.decode(responses, index * size, "void *"));
      free(responses);
      return PAM_CONV_ERR;
    }
    koffi.encode(result, "void *", responses);
    return PAM_SUCCESS;
  }, koffi.pointer(Converse));

  // Replaces libpam's own sleep: the server waits, and the process is free for the next login.
  const noteDelay = koffi.register((_code: number, microseconds: number): void => {
    if (attempt !== undefined) attempt.delay = Math.max(attempt.delay, microseconds / 1000);
  }, koffi.pointer(Delay));

  function userOf(pam: bigint): string | undefined {
    const item: [bigint | null] = [null];
    if (getItem(pam, ITEM_USER, item) !== PAM_SUCCESS || item[0] === null) return undefined;
    const length: number = strlen(item[0]);
    if (length === 0) return undefined;
    const bytes: Uint8Array = koffi.decode(item[0], koffi.array("uint8_t", length, "Typed"));
    return isUtf8(bytes) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : undefined;
  }

  function run(
    service: string,
    current: Attempt,
    steps: readonly [string, (pam: bigint) => number][],
  ): PamOutcome {
    const out: [bigint | null] = [null];
    let where = "pam_start";
    let code: number = start(service, current.username, { converse, data: null }, out);
    const [pam] = out;
    attempt = current;
    try {
      for (const [name, step] of steps) {
        if (code !== PAM_SUCCESS || pam === null) break;
        where = name;
        code = step(pam);
      }
      const text = `${where}: ${strerror(pam, code)}`;
      const user = code === PAM_SUCCESS && pam !== null ? userOf(pam) : undefined;
      const named = user === undefined ? {} : { user };
      return { code, text, asked: current.asked, delay: current.delay, ...named };
    } finally {
      if (pam !== null) end(pam, code);
      attempt = undefined;
    }
  }

  const prepare: [string, (pam: bigint) => number][] = [
    ["pam_set_item", (pam) => setText(pam, ITEM_TTY, "tiled")],
    ["pam_set_item", (pam) => setPointer(pam, ITEM_FAIL_DELAY, noteDelay)],
  ];
  const flags = SILENT | DISALLOW_NULL_AUTHTOK;
  const noText = Uint8Array.of(0);

  return {
    probe(service) {
      return run(service, newAttempt(noText, noText), prepare);
    },
    login(service, username, password) {
      const current = newAttempt(username, password);
      return run(service, current, [
        ...prepare,
        ["pam_authenticate", (pam) => authenticate(pam, flags)],
        // A login without a prompt for the password proves nothing, and `authenticator.ts` refuses it.
        ["pam_acct_mgmt", (pam) => (current.asked ? account(pam, flags) : PAM_SUCCESS)],
      ]);
    },
  };
}
