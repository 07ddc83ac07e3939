/** The section `cave`: what it says, and each error with its place. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { ConfigError } from "../../src/yaml/problems.ts";
import { load, problems, TREES, withFiles, wrong } from "./support.ts";

const SERVICE = "5f7c6b1e-0000-4000-8000-000000000001";
const KEY = "0123456789abcdef0123456789abcdef";
const TOY = `{provider: toy, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {a: b}}}`;
const authentication = (secret = KEY) =>
  `authentication: {secret_keys: ["${secret}"], providers: [${TOY}, {provider: orcid, authenticator: "m:N"}]}\n`;
const AUTHENTICATION = authentication();

/** The section begins in line 3, its keys in line 4. */
function yaml(section: string, before = ""): string {
  const indented = section.replaceAll(/^(?=.)/gm, "  ");
  return `${AUTHENTICATION}${TREES}cave:\n${indented}\n${before}`;
}

const ADDRESS = "server_address: https://cave.example.org\n";

/** A section whose address is right; its keys begin in line 5. */
const found = (section: string) => wrong(yaml(ADDRESS + section));

const FULL = `server_address: https://cave.example.org/lab/
admins: [{provider: orcid, id: 0000-0001-2345-6789}]
origins: [https://neuroglancer.example.org, "http://localhost:9000", "http://[::1]:1", https://neuroglancer.example.org]
login_token_max_age: PT12H
tos:
  microns: {id: 2, text: Be nice.}
  unused: {id: 3, text: x}
datasets:
  minnie:
    id: 1
    tos: microns
    admins: [{provider: toy, id: a}]
    tables: {datastack: [minnie65, minnie65], aligned_volume: [minnie65], own-namespace: [a b], none: }
  fafb: {id: "7"}
groups:
  all: {id: 1, everyone: true, permissions: {minnie: [view]}}
  proofreaders:
    id: 2147483647
    members: [{provider: orcid, id: x}, {service: ${SERVICE.toUpperCase().replaceAll("-", "")}}]
    admins: [{provider: toy, id: a}]
    permissions: {minnie: [view, edit, view], fafb: [anything at all]}
`;

describe("the section cave", () => {
  it("needs no data beside it", () => {
    assert.deepEqual(load(`${AUTHENTICATION}cave:\n  ${ADDRESS}`).trees, []);
  });

  it("in full", () => {
    const { cave } = load(yaml(FULL));
    const microns = { id: 2, name: "microns", text: "Be nice." };
    assert.equal(cave?.serverAddress, "https://cave.example.org/lab");
    assert.deepEqual(cave?.rules, {
      admins: [{ provider: "orcid", id: "0000-0001-2345-6789" }],
      origins: ["https://neuroglancer.example.org", "http://localhost:9000", "http://[::1]:1"],
      loginTokenMaxAge: 43_200,
      tos: [microns, { id: 3, name: "unused", text: "x" }],
      datasets: [
        {
          id: 1,
          name: "minnie",
          tos: microns,
          admins: [{ provider: "toy", id: "a" }],
          tables: new Map([
            ["datastack", ["minnie65"]],
            ["aligned_volume", ["minnie65"]],
            ["own-namespace", ["a b"]],
          ]),
        },
        { id: 7, name: "fafb", tos: null, admins: [], tables: new Map() },
      ],
      groups: [
        {
          id: 1,
          name: "all",
          everyone: true,
          members: [],
          admins: [],
          permissions: new Map([["minnie", ["view"]]]),
        },
        {
          id: 2_147_483_647,
          name: "proofreaders",
          everyone: false,
          members: [{ provider: "orcid", id: "x" }, { service: SERVICE }],
          admins: [{ provider: "toy", id: "a" }],
          permissions: new Map([
            ["minnie", ["view", "edit"]],
            ["fafb", ["anything at all"]],
          ]),
        },
      ],
    });
  });

  it("at least, and without it nothing", () => {
    assert.deepEqual(load(yaml(ADDRESS)).cave?.rules, {
      admins: [],
      origins: [],
      loginTokenMaxAge: 86_400,
      tos: [],
      datasets: [],
      groups: [],
    });
    assert.equal(load(AUTHENTICATION + TREES).cave, null);
    assert.equal(load(`${AUTHENTICATION}${TREES}cave:\n`).cave, null);
  });

  it("takes variables, and the whole section from one", () => {
    const text = yaml(
      "server_address: $ADDRESS\nadmins: [{provider: toy, id: $WHO}]\ngroups: {g: {id: $NUMBER}}",
    );
    const { cave } = load(text, { ADDRESS: "https://cave.example.org", WHO: "a", NUMBER: "7" });
    assert.equal(cave?.serverAddress, "https://cave.example.org");
    assert.deepEqual(cave.rules.admins, [{ provider: "toy", id: "a" }]);
    assert.equal(cave.rules.groups[0]?.id, 7);
    assert.deepEqual(wrong(text, { ADDRESS: "https://cave.example.org", WHO: "a" }), [
      "6 cave.groups.g.id: the environment variable 'NUMBER' is not set.",
    ]);
    const whole = load(AUTHENTICATION + TREES, { TILED_CAVE: '{"server_address": "https://c.org"}' });
    assert.equal(whole.cave?.serverAddress, "https://c.org");
  });

  it("keeps names that objects have for themselves", () => {
    const { cave } = load(
      yaml(
        `${ADDRESS}datasets: {__proto__: {id: 1, tables: {__proto__: [constructor]}}}\ngroups: {constructor: {id: 1, permissions: {__proto__: [view]}}}`,
      ),
    );
    assert.deepEqual(cave?.rules.datasets[0]?.tables, new Map([["__proto__", ["constructor"]]]));
    assert.deepEqual(cave.rules.groups[0]?.permissions, new Map([["__proto__", ["view"]]]));
    assert.match(
      found("groups: {g: {id: 1, permissions: {__proto__: [view]}}}").join("\n"),
      /permissions\.__proto__: there is no dataset '__proto__'/,
    );
  });

  it("needs accounts", () => {
    const message =
      "cave: tokens need accounts, and accounts need authentication.providers. Add a provider, or remove 'cave'.";
    const section = `cave: {server_address: "https://c.org", admins: [{provider: toy, id: a}]}\n`;
    assert.deepEqual(wrong(TREES + section), [`2 ${message}`]);
    assert.deepEqual(wrong(`${TREES}authentication: {providers: []}\n${section}`), [`3 ${message}`]);
  });

  it("counts as being reached by others, so weak secrets are refused", () => {
    const file = (address: string) =>
      `${authentication("5ecret")}${TREES}cave: {server_address: "${address}"}\n`;
    assert.match(wrong(file("https://c.org")).join("\n"), /cave\.server_address is https:\/\/c\.org/);
    assert.deepEqual(wrong(file("http://localhost:8000")), []);
  });
});

describe("cave.server_address", () => {
  for (const [given, address] of [
    ["https://cave.example.org", "https://cave.example.org"],
    ["https://cave.example.org/", "https://cave.example.org"],
    ["HTTPS://Cave.example.org:443/lab//", "https://cave.example.org/lab"],
    ["http://localhost:8000", "http://localhost:8000"],
    ["http://127.0.0.1:8000", "http://127.0.0.1:8000"],
    ["https://cave.example.org/authority", "https://cave.example.org/authority"],
    ["https://cave.example.org/auth/lab", null],
  ] as const) {
    it(`${given} is ${address ?? "refused"}`, () => {
      const text = yaml(`server_address: "${given}"`);
      if (address === null) assert.match(wrong(text)[0] ?? "", /^4 cave\.server_address: /);
      else assert.equal(load(text).cave?.serverAddress, address);
    });
  }

  for (const [given, message] of [
    ["http://cave.example.org", /tokens need HTTPS on any host but this machine\. Use https:\/\/\./],
    ["cave.example.org", /'cave\.example\.org' is not a URL|must begin with https/],
    ["ftp://cave.example.org", /must begin with https:\/\/ or http:\/\//],
    ["https://u:p@cave.example.org", /must not contain a user name or a password/],
    ["https://cave.example.org/?a=1", /must not contain a query or a fragment/],
    ["https://cave.example.org/a//b", /must not contain '\/\/' or '%' in its path/],
    ["https://cave.example.org/a%20b", /must not contain '\/\/' or '%' in its path/],
    [
      "https://cave.example.org/lab/auth",
      /clients add \/auth to it themselves\. Use 'https:\/\/cave\.example\.org\/lab'\.$/,
    ],
    [
      "https://cave.example.org/sticky_auth/api/v1/",
      /clients add \/sticky_auth\/api\/v1 to it themselves\. Use 'https:\/\/cave\.example\.org'\.$/,
    ],
    ["", /must not be empty/],
  ] as const) {
    it(`${JSON.stringify(given)} is refused`, () => {
      const [problem = "", ...others] = wrong(yaml(`server_address: "${given}"`));
      assert.match(problem, /^4 cave\.server_address: /);
      assert.match(problem, message);
      assert.deepEqual(others, []);
    });
  }

  it("is missing", () => {
    assert.match(wrong(yaml("origins: []"))[0] ?? "", /^\d cave: the key 'server_address' is missing/);
  });

  const at = (server: string, address: string) =>
    yaml(`server_address: "${address}"`, `server: {public_url: https://data.example.org, ${server}}\n`);

  it("cannot be the host of the account pages, which answers nothing else", () => {
    const server = "account_url: https://account.example.org";
    for (const address of ["https://account.example.org", "https://ACCOUNT.example.org.:8443/lab"]) {
      assert.match(
        wrong(at(server, address)).join("\n"),
        /cave\.server_address: this is the host of server\.account_url, which serves the account pages only\. Use another/,
      );
    }
    assert.deepEqual(wrong(at(server, "https://cave.example.org")), []);
    assert.deepEqual(wrong(at(server, "https://data.example.org")), []);
    // Without a path here, whatever the path of the data is.
    const { cave } = load(
      yaml(ADDRESS, "server: {public_url: https://data.example.org/tiled}\nuvicorn: {root_path: /tiled}\n"),
    );
    assert.equal(cave?.serverAddress, "https://cave.example.org");
  });

  it("with a path that is not the root path: a warning", () => {
    const warnings = (path: string, before = "uvicorn: {root_path: /tiled}\n") =>
      load(yaml(`server_address: "https://c.org${path}"`, before)).warnings.filter((warning) =>
        warning.includes("cave"),
      );
    assert.match(
      warnings("/lab").join("\n"),
      /cave\.server_address: its path '\/lab' is not uvicorn\.root_path/,
    );
    assert.deepEqual(warnings("/tiled"), []);
    assert.deepEqual(warnings(""), []);
    assert.match(
      warnings("/lab", "").join("\n"),
      /providers send people back to an address without its path '\/lab'/,
    );
    assert.deepEqual(warnings("/lab", "server: {public_url: https://c.org/lab}\n"), []);
  });
});

describe("cave.origins", () => {
  for (const [origin, message] of [
    ["*", /must not contain a wildcard/],
    ["https://*.example.org", /must not contain a wildcard/],
    ["https://a.example.org/", /must end after the host name or the port/],
    ["https://a.example.org/viewer", /must end after the host name or the port/],
    ["https://a.example.org?", /must end after the host name or the port/],
    ["https://a.example.org#x", /must end after the host name or the port/],
    ["https://u@a.example.org", /must not contain a user name or a password/],
    ["https://:p@a.example.org", /must not contain a user name or a password/],
    ["http://a.example.org", /must begin with https:\/\/ on any host but this machine/],
    ["http://localhost.example.org", /must begin with https:\/\/ on any host but this machine/],
    ["https://A.example.org", /must be written as browsers send it: 'https:\/\/a\.example\.org'/],
    ["https://a.example.org:443", /must be written as browsers send it: 'https:\/\/a\.example\.org'/],
    ["https:a.example.org", /must be written as browsers send it/],
    ["http://127.1:80", /must be written as browsers send it: 'http:\/\/127\.0\.0\.1'/],
    ["file:///tmp", /must begin with https:\/\/ or http:\/\//],
    ["javascript:alert(1)", /must begin with https:\/\/ or http:\/\//],
    ["null", /is not an origin|must be an origin/],
    ["a.example.org", /is not an origin|must be an origin/],
    ["//a.example.org", /is not an origin|must be an origin/],
    ["https://a.example.org\\\\", /is not an origin|must be an origin/],
    ["https://a.exa\\tmple.org", /is not an origin|must be an origin/],
    [" https://a.example.org", /is not an origin|must be an origin/],
    ["https://bücher.example.org", /is not an origin|must be an origin/],
    ["https://", /is not an origin|must be an origin/],
    ["", /must not be empty/],
  ] as const) {
    it(`${JSON.stringify(origin)} is refused`, () => {
      const [problem = "", ...others] = found(`origins: [https://ok.example.org, "${origin}"]`);
      assert.match(problem, /^5 cave\.origins\[1\]: /);
      assert.match(problem, message);
      assert.deepEqual(others, []);
    });
  }

  for (const origin of [
    "https://a.example.org",
    "https://a.example.org:8443",
    "http://localhost",
    "http://viewer.localhost:8080",
    "http://127.0.0.1:9000",
    "http://[::1]:9000",
    "https://xn--bcher-kva.example.org",
  ]) {
    it(`${origin} is one`, () => {
      assert.deepEqual(load(yaml(`${ADDRESS}origins: ["${origin}"]`)).cave?.rules.origins, [origin]);
    });
  }
});

describe("errors of cave", () => {
  for (const [section, ...expected] of [
    // Unknown keys, at each level.
    ["orgins: []", /^5 cave\.orgins: unknown key 'orgins'\. Did you mean 'origins'\?/],
    ["public_url: x", /^5 cave\.public_url: unknown key 'public_url'; it belongs in 'server'\./],
    [
      "groups: {g: {id: 1, member: []}}",
      /^5 cave\.groups\.g\.member: unknown key 'member'\. Did you mean 'members'/,
    ],
    ["datasets: {d: {id: 1, table: {}}}", /^5 cave\.datasets\.d\.table: unknown key/],
    ["tos: {t: {id: 1, text: x, url: y}}", /^5 cave\.tos\.t\.url: unknown key/],
    ["admins: [{provider: toy, id: a, name: b}]", /^5 cave\.admins\[0\]\.name: unknown key/],
    [
      "groups: {g: {id: 1, members: [{user: a}]}}",
      /members\[0\]\.user: unknown key/,
      /members\[0\]: the key/,
    ],
    // Ids.
    ["groups:\n  g:\n    everyone: true", /^6 cave\.groups\.g\.id: this key is missing\. Use a whole number/],
    ["datasets: {d: {}}", /^5 cave\.datasets\.d\.id: this key is missing/],
    ["tos: {t: {text: x}}", /^5 cave\.tos\.t\.id: this key is missing/],
    [
      "groups:\n  a: {id: 4}\n  b: {id: 5}\n  c: {id: 4}",
      /^8 cave\.groups\.c\.id: cave\.groups\.a has the id 4 already\. Give each entry an id of its own\.$/,
    ],
    ["datasets: {a: {id: 1}, b: {id: 1}}", /^5 cave\.datasets\.b\.id: cave\.datasets\.a has the id 1/],
    [
      "tos: {a: {id: 1, text: x}, b: {id: 1, text: y}}",
      /^5 cave\.tos\.b\.id: cave\.tos\.a has the id 1 already/,
    ],
    ...(["0", "-1", "2147483648", "1.5", "x", "true", "", "[1]", "1e3x"] as const).map(
      (id) =>
        [
          `groups: {g: {id: ${id}}}`,
          /^5 cave\.groups\.g\.id: .*a whole number from 1 to 2147483647/,
        ] as const,
    ),
    // Names that must be declared.
    [
      "datasets: {minnie: {id: 1}}\ngroups:\n  g:\n    id: 1\n    permissions:\n      mini:\n      - view",
      /^10 cave\.groups\.g\.permissions\.mini: there is no dataset 'mini' in cave\.datasets\. The datasets are: 'minnie'\.$/,
    ],
    [
      "groups: {g: {id: 1, permissions: {minnie: [view]}}}",
      /^5 cave\.groups\.g\.permissions\.minnie: there is no dataset 'minnie' in cave\.datasets\. It has no datasets\.$/,
    ],
    [
      "datasets: {minnie: {id: 1}}\ngroups: {g: {id: 1, permissions: {minne: [view]}}}",
      /^6 cave\.groups\.g\.permissions\.minne: .* Did you mean 'minnie'\?/,
    ],
    [
      "tos: {microns: {id: 1, text: x}}\ndatasets: {d: {id: 1, tos: micron}}",
      /^6 cave\.datasets\.d\.tos: there are no terms 'micron' in cave\.tos\. Did you mean 'microns'\? The terms are: 'microns'\.$/,
    ],
    // Tables.
    [
      "datasets:\n  a: {id: 1, tables: {datastack: [x, y]}}\n  b: {id: 2, tables: {datastack: [z, y]}}",
      /^7 cave\.datasets\.b\.tables\.datastack\[1\]: this table belongs to cave\.datasets\.a already\. A table has one dataset\.$/,
    ],
    ['datasets: {a: {id: 1, tables: {"": [x]}}}', /cave\.datasets\.a\.tables\[''\]: must not be empty/],
    ['datasets: {a: {id: 1, tables: {n: [""]}}}', /cave\.datasets\.a\.tables\.n\[0\]: must not be empty/],
    ["datasets: {a: {id: 1, tables: {n: x}}}", /tables\.n: text is not allowed here\. Use a list/],
    // Names.
    [
      `groups: {${"g".repeat(256)}: {id: 1}}`,
      /^5 cave\.groups\[.*\]: must be a name\. Use 1 to 255 characters/,
    ],
    ['groups: {"a\\u0000b": {id: 1}}', /must be a name/],
    [
      'datasets: {d: {id: 1}}\ngroups: {g: {id: 1, permissions: {d: ["a\\tb"]}}}',
      /^6 cave\.groups\.g\.permissions\.d\[0\]: /,
    ],
    // People.
    [
      "admins: [{provider: toi, id: a}]",
      /^5 cave\.admins\[0\]\.provider: there is no provider 'toi'\. Did you mean 'toy'\? The providers are: toy, orcid\.$/,
    ],
    ["admins: [{id: a}]", /^5 cave\.admins\[0\]: the key 'provider' is missing/],
    ["admins: [{provider: toy}]", /^5 cave\.admins\[0\]: the key 'id' is missing/],
    ["admins: [a@example.org]", /^5 cave\.admins\[0\]: .*Use a mapping with the keys provider, id\./],
    [
      "admins: [{provider: toy, id: 12345}]",
      /cave\.admins\[0\]\.id: 12345 is not allowed here\..*Put it in quotes/,
    ],
    [
      "datasets: {d: {id: 1, admins: [{provider: nope, id: a}]}}",
      /^5 cave\.datasets\.d\.admins\[0\]\.provider: there is no provider/,
    ],
    [
      "groups: {g: {id: 1, admins: [{provider: nope, id: a}]}}",
      /^5 cave\.groups\.g\.admins\[0\]\.provider: there is no provider/,
    ],
    [
      "groups: {g: {id: 1, members: [{provider: nope, id: a}]}}",
      /^5 cave\.groups\.g\.members\[0\]\.provider: there is no provider 'nope'/,
    ],
    [
      "groups: {g: {id: 1, members: [{id: a}]}}",
      /^5 cave\.groups\.g\.members\[0\]: the key 'provider' is missing\. Use \{provider: …, id: …\} for a person, or \{service: UUID\}\.$/,
    ],
    [
      "groups: {g: {id: 1, members: [{}]}}",
      /^5 cave\.groups\.g\.members\[0\]: the key 'provider' is missing/,
    ],
    [
      `groups: {g: {id: 1, members: [{service: ${SERVICE}, id: a}]}}`,
      /^5 cave\.groups\.g\.members\[0\]: a member is a person \(provider and id\) or a service, not both/,
    ],
    [
      "groups: {g: {id: 1, members: [{service: watcher}]}}",
      /members\[0\]\.service: 'watcher' is not a UUID\./,
    ],
    [`groups: {g: {id: 1, members: [{service: ${SERVICE}0}]}}`, /members\[0\]\.service: must be a UUID\./],
    // Lifetimes.
    ["login_token_max_age: 2592001", /^5 cave\.login_token_max_age: must not be longer than 30 days/],
    ["login_token_max_age: P31D", /^5 cave\.login_token_max_age: must not be longer than 30 days/],
    ["login_token_max_age: 0", /^5 cave\.login_token_max_age: 0 is not allowed here/],
    ["login_token_max_age: never", /^5 cave\.login_token_max_age: 'never' is not a duration/],
    // Terms.
    [
      "tos: {t: {id: 1}}",
      /^5 cave\.tos\.t: there is neither 'text' nor 'file'\. Give the terms in one of them\.$/,
    ],
    ["tos: {t: {id: 1, text: x, file: y}}", /^5 cave\.tos\.t: there is both 'text' and 'file'/],
    ['tos: {t: {id: 1, text: " "}}', /^5 cave\.tos\.t\.text: must not be empty/],
    ["tos: {t: {id: 1, file: missing.txt}}", /^5 cave\.tos\.t\.file: 'missing\.txt': there is no such file/],
    ["tos: {t: {id: 1, file: ..}}", /^5 cave\.tos\.t\.file: '\.\.': this is not a file$/],
    ["tos: {t: {id: 1, file: /dev/zero}}", /^5 cave\.tos\.t\.file: '\/dev\/zero': this is not a file$/],
  ] as const) {
    it(section.slice(0, 100), () => {
      const all = found(section);
      assert.equal(all.length, expected.length, all.join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(all[index] ?? "", pattern);
    });
  }

  it("are all reported at once, and never repeat a variable", () => {
    const all = problems(
      yaml(`server_address: $SECRET\norigins: [$SECRET]\nadmins: [{provider: $SECRET, id: a}]`),
      {
        SECRET: "hunter2",
      },
    );
    assert.deepEqual(
      all.map(({ path }) => path),
      ["cave.server_address", "cave.origins[0]", "cave.admins[0].provider"],
    );
    assert.doesNotMatch(JSON.stringify(all), /hunter2/);
  });

  it("of a provider's own name come before those of the people at it", () => {
    const text = yaml(`${ADDRESS}admins: [{provider: toy, id: a}]`).replace(
      "provider: orcid",
      'provider: "a b"',
    );
    assert.match(wrong(text).join("\n"), /^1 authentication\.providers\[1\]\.provider: [^\n]*$/);
  });
});

describe("terms in a file", () => {
  const text = (file: string) => yaml(`${ADDRESS}tos: {t: {id: 1, file: ${file}}}`);

  function loadBeside(content: string | Uint8Array | undefined) {
    return withFiles({ "config.yml": text("../terms/terms.txt") }, (folder) => {
      const file = join(dirname(folder), "terms", "terms.txt");
      mkdirSync(dirname(file));
      if (content !== undefined) writeFileSync(file, content);
      return loadConfig(folder, {}).cave?.rules.tos[0]?.text;
    });
  }

  it("are read relative to the configuration's folder", () => {
    assert.equal(loadBeside("Be nice.\n$HOME is only text.\n"), "Be nice.\n$HOME is only text.\n");
  });

  for (const [name, content, message] of [
    ["an empty one", "", /the file is empty: there are no terms in it/],
    ["white space", " \n", /the file is empty: there are no terms in it/],
    ["1 MB and a byte", "x".repeat(1024 * 1024 + 1), /the file is larger than 1048576 bytes/],
    ["another encoding", new Uint8Array([0x61, 0x0a, 0xff]), /terms\.txt', line 2: the file is not UTF-8/],
    ["none", undefined, /there is no such file/],
  ] as const) {
    it(`${name}: refused`, () => {
      assert.throws(
        () => loadBeside(content),
        (error) => {
          assert.ok(error instanceof ConfigError);
          const [problem] = error.problems;
          assert.equal(problem?.path, "cave.tos.t.file");
          assert.match(problem.message, message);
          return true;
        },
      );
    });
  }
});

it("the schema for editors agrees", () => {
  const ajv = new Ajv({ strict: true, validateFormats: false, allowUnionTypes: true });
  const validate = ajv.compile(jsonSchema());
  assert.equal(validate(parse(yaml(FULL))), true, JSON.stringify(validate.errors));
  for (const section of [
    "groups: {g: {}}",
    "datasets: {d: {id: 0}}",
    "tos: {t: {text: x}}",
    "groups: {g: {id: 1, members: [{provider: toy}]}}",
    `groups: {g: {id: 1, members: [{provider: toy, id: a, service: ${SERVICE}}]}}`,
    "groups: {g: {id: 1, colour: red}}",
    "admins: [{id: a}]",
    "colour: red",
  ])
    assert.equal(validate(parse(yaml(ADDRESS + section))), false, section);
  assert.equal(validate(parse(yaml("origins: []"))), false);
});
