/**
 * Where our command line differs from the real `tiled` on purpose. A row says what ours does in that step of a story, in place of
 * the real one; a difference without a row fails the test, and so does a row that no longer differs.
 */
import type { StoryName } from "./command-line-stories.ts";

export interface Report {
  readonly code: number;
  readonly stdout: string;
  readonly stderr?: string;
  readonly files: Readonly<Record<string, string>>;
}

interface Difference {
  readonly reason: string;
  /** Of our command. */
  readonly ours?: Partial<Report>;
  /** Of both commands, at our server. */
  readonly atOurs?: Partial<Report>;
}

const CRASH = "the real one ends with a traceback";

const PROFILE = "auto:\n  uri: <base>\n  verify: true\n";
const TREE = "├── A\n├── B\n├── C\n└── D\n    ├── temperature\n    └── time\n";

function lines(...texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

export const DIFFERENCES: Partial<Record<StoryName, Readonly<Record<string, Difference>>>> = {
  profiles: {
    "create, exists": { reason: "an error goes to stderr", ours: { stdout: "" } },
    "create, name outside": {
      reason: "the real one writes outside of the folder",
      ours: {
        code: 2,
        files: { "tiled/profiles/auto.yml": "auto:\n  uri: <base>/other\n  verify: false\n" },
      },
    },
    paths: {
      reason: "the folder of a Python environment is Python's",
      ours: { stdout: "<home>/site\n<home>/tiled/profiles\n" },
    },
    "delete, unknown": { reason: "nothing was deleted", ours: { code: 1 } },
  },
  passwords: {
    "api_key list, no terminal": { reason: "nobody can be asked", ours: { code: 4 } },
    "login, no terminal": { reason: "nobody can be asked", ours: { code: 4 } },
    "api_key create, no time": { reason: "wrong usage", ours: { code: 2 } },
    "api_key list": {
      reason: "the real one shifts columns after several scopes",
      ours: {
        stdout: lines(
          "First 8   Expires at (UTC)     Latest activity      Note     Scopes                     Access tags",
          "<8 hex>  -                    -                             inherit                    -",
          "<8 hex>  <time>  -                    short    read:metadata read:data    a",
        ),
      },
    },
    "sessions after a login again": {
      reason: "ours ends the session that it replaces",
      ours: { stdout: "1" },
    },
    "admin list-principals 0 1": {
      reason: "the real command sends offset and limit, which the real server ignores",
      ours: { stdout: "1" },
      atOurs: { stdout: "1" },
    },
    "admin api-key create, 1h": {
      reason: "the real one accepts seconds only",
      ours: { code: 0, stdout: "<key>\n" },
    },
    "admin api-key list": {
      reason: CRASH,
      ours: {
        code: 0,
        stdout: lines(
          "First 8   Expires at (UTC)     Latest activity      Note      Scopes     Access tags",
          "<8 hex>  -                    -                    theirs    inherit    -",
          "<8 hex>  <time>  -                              inherit    -",
          "<8 hex>  <time>  -                              inherit    -",
        ),
      },
    },
    "a service: whoami": { reason: "the key decides, not the login beside it", ours: { stdout: "<uuid>\n" } },
    "login --show-secret-tokens": {
      reason: "the same members, in the order of the server's answer",
      ours: { stdout: '{\n    "access_token": "<token>",\n    "refresh_token": "<token>"\n}\n' },
    },
  },
  "several providers": {
    "login, Enter": {
      reason: "the real one logs in to the last provider",
      ours: {
        code: 1,
        stdout: "",
        files: { "tiled/default_profile": "auto", "tiled/profiles/auto.yml": PROFILE },
      },
    },
  },
  "one key": {
    whoami: { reason: CRASH, ours: { code: 0, stdout: "Not authenticated.\n" } },
    "with the key: whoami": { reason: CRASH, ours: { code: 0, stdout: "single user\n" } },
    logout: { reason: CRASH, ours: { code: 0 } },
  },
  everyone: {
    whoami: { reason: CRASH, ours: { code: 0, stdout: "Not authenticated.\n" } },
    tree: { reason: CRASH, ours: { code: 0, stdout: TREE } },
    logout: { reason: CRASH, ours: { code: 0 } },
  },
  "part public": {
    "api_key list before": { reason: "nobody can be asked for a login", ours: { code: 4 } },
    "api_key create before": { reason: "nobody can be asked for a login", ours: { code: 4 } },
  },
};
