/**
 * The folders of `example_configs`: what they configure loads, what they name is there, and each says how it is used.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { loadWhole } from "../../src/cli/config/check.ts";

const FOLDER = fileURLToPath(new URL("../../example_configs", import.meta.url));
const FOLDERS = readdirSync(FOLDER).filter((name) => statSync(join(FOLDER, name)).isDirectory());

const ENV = {
  TILED_SECRET: "0123456789abcdef0123456789abcdef",
  ALICE_PASSWORD: "secret1",
  BOB_PASSWORD: "secret2",
  ADMIN_PASSWORD: "secret3",
  POSTGRES_PASSWORD: "hunter2",
  SITE: "tiled.example.org",
};

const read = (path: string) => readFileSync(join(FOLDER, path), "utf8");
const variables = (text: string) =>
  new Set([...text.replaceAll(/#.*/g, "").matchAll(/\$\{?([A-Z_]+)/g)].map(([, name = ""]) => name));

describe("each deployment", () => {
  it("is one that the list of examples names", () => {
    assert.deepEqual(FOLDERS, [
      "caddy",
      "cave",
      "docker-compose",
      "gateway",
      "helm",
      "nginx",
      "pgbouncer",
      "reverse-proxy",
      "systemd",
      "traefik",
    ]);
    const list = read("README.md");
    for (const folder of FOLDERS) assert.ok(list.includes(`[${folder}](${folder}/README.md)`), folder);
  });

  for (const folder of FOLDERS) {
    it(`${folder}: its page names every file of it, and nothing that is not there`, () => {
      const page = read(`${folder}/README.md`);
      for (const file of readdirSync(join(FOLDER, folder))) {
        if (file !== "README.md") assert.ok(page.includes(`[${file}](${file})`), file);
      }
      for (const [, target = ""] of page.matchAll(/\]\(((?!http)[^)#]+)/g)) {
        assert.ok(existsSync(join(FOLDER, folder, target)), target);
      }
    });

    // The chart's configurations are rendered first: test/deployment/chart.test.ts.
    if (folder === "helm") continue;
    it(`${folder}: its configuration loads without a warning`, async () => {
      const config = await loadWhole(join(FOLDER, folder, "tiled-auth.yml"), {
        env: ENV,
        out: () => {},
        err: () => {},
      });
      assert.deepEqual(config.warnings, []);
      const asks = ["caddy", "nginx", "traefik"].includes(folder);
      assert.deepEqual(config.server.verifyHosts, asks ? ["data.example.org"] : []);
      const alone = asks || ["cave", "pgbouncer", "reverse-proxy"].includes(folder);
      assert.deepEqual(config.upstreams.length, alone ? 0 : 1);
    });
  }

  for (const folder of ["docker-compose", "gateway"]) {
    it(`${folder}: the Tiled behind has the same secret and the same providers`, () => {
      const [ours, theirs] = ["tiled-auth.yml", "tiled.yml"].map((file) => parse(read(`${folder}/${file}`)));
      const providers = ({ authentication }: { authentication: { providers: { provider: string }[] } }) =>
        authentication.providers.map(({ provider }) => provider);
      assert.deepEqual(providers(theirs), providers(ours));
      assert.deepEqual(theirs.authentication.secret_keys, ["$".concat("{TILED_SECRET}")]);
      assert.deepEqual(ours.authentication.secret_keys, ["$TILED_SECRET"]);
    });
  }

  it("docker-compose: every variable is handed on and asked for, and only HTTPS is reachable", () => {
    const text = read("docker-compose/docker-compose.yml");
    const { services, networks } = parse(text);
    const handed = new Set(Object.keys(services["tiled-auth"].environment));
    for (const name of variables(read("docker-compose/tiled-auth.yml"))) assert.ok(handed.has(name), name);
    const asked = variables(read("docker-compose/.env.example").replaceAll(/^([A-Z_]+)=/gm, "$$$1="));
    assert.deepEqual(asked, variables(text));
    const open = Object.keys(services).filter((name) => services[name].ports !== undefined);
    assert.deepEqual(open, ["caddy"]);
    assert.equal(networks.data.internal, true);
    assert.deepEqual(services.tiled.networks, ["data"]);
    for (const name of ["caddy", "tiled-auth", "tiled"])
      assert.deepEqual(services[name].cap_drop, ["ALL"], name);
    assert.match(services.tiled.build.dockerfile_inline, /^USER [1-9]/m);
    const image = readFileSync(
      join(FOLDER, "docker-compose", services["tiled-auth"].build, "Dockerfile"),
      "utf8",
    );
    assert.match(image, /^USER 1000:1000$/m);
    assert.match(image, /npm ci --ignore-scripts/);
    const { trusted_proxies: trusted } = parse(read("docker-compose/tiled-auth.yml")).server;
    assert.deepEqual(trusted, [networks.front.ipam.config[0].subnet]);
  });

  it("cave: its page has the commands of the guide", () => {
    const guide = readFileSync(join(FOLDER, "../docs/cave.md"), "utf8");
    const page = read("cave/README.md");
    const commands = [...guide.matchAll(/^(?:export ([A-Z_]+=.*)|(python .*))$/gm)];
    assert.equal(commands.length, 5);
    for (const [, variable, command = variable ?? ""] of commands) assert.ok(page.includes(command), command);
  });

  it("systemd: the unit names the files of the page, and every variable has a place", () => {
    const unit = read("systemd/tiled-auth.service");
    const page = read("systemd/README.md");
    for (const path of ["/etc/tiled-auth/environment", "/etc/tiled-auth/config.yml"]) {
      assert.ok(unit.includes(path) && page.includes(path), path);
    }
    const places = variables(read("systemd/tiled-auth.env").replaceAll(/^([A-Z_]+)=/gm, "$$$1="));
    assert.deepEqual(places, variables(read("systemd/tiled-auth.yml")));
  });

  it("nginx, Caddy and Traefik: nothing that only tiled-auth may say comes from outside", () => {
    const names = ["X-Tiled-Principal", "X-Tiled-Identity", "X-Tiled-Scopes", "X-Tiled-Token"];
    const nginx = read("nginx/app.conf");
    for (const name of names) assert.match(nginx, new RegExp(`proxy_set_header ${name} `));
    const { middlewares, routers } = parse(read("traefik/dynamic.yml")).http;
    // Some applications take '_' and '-' for the same.
    const spelt = names.flatMap((name) => [name, name.replaceAll("-", "_")]);
    const strangers = Object.keys(middlewares.strangers.headers.customRequestHeaders);
    for (const name of spelt) assert.ok(strangers.includes(name), name);
    assert.match(routers.application.rule, /!HeaderRegexp\(`Connection`, `\(\?i\)x-tiled\|authorization`\)/);
    assert.deepEqual(middlewares.login.forwardAuth.authResponseHeaders, names);
    assert.deepEqual(routers.application.middlewares, ["strangers", "login", "private"]);
    const caddy = read("caddy/Caddyfile");
    assert.match(caddy, /request_header -X-Tiled-\*\s+request_header -X_Tiled_\*\s[^}]*forward_auth/);
    // Who is sent to the login is who lacked what was asked for.
    const asked = [...nginx.matchAll(/auth\/verify\?(scopes=[^&]*)&/g)].map(([, scopes]) => scopes);
    assert.deepEqual(asked, ["scopes=read:metadata", "scopes=read:metadata"]);
  });
});
