/** The Helm chart: what it renders is valid for Kubernetes, loads in our server, and needs no more rights than it has to. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it, test } from "node:test";
import { parse } from "yaml";
import { loadWhole } from "../../src/cli/config/check.ts";
import { temporaryFolder } from "../support/folders.ts";
import { run } from "../support/process.ts";
import { CHART, example, KUBERNETES, manifests, rendered, withoutHelm, type Yaml } from "./chart.ts";
import { ROOT, tool, without } from "./tools.ts";

const EXAMPLES = ["small", "production"];
const ENV = {
  TILED_SECRET: "0123456789abcdef0123456789abcdef",
  ORCID_CLIENT_ID: "APP-0000000000000000",
  ORCID_CLIENT_SECRET: "fedcba9876543210",
  KEYCLOAK_CLIENT_SECRET: "fedcba9876543210",
  DATABASE_URI: "postgresql://tiled:hunter2@postgres:5432/tiled",
};
const MINIMAL = {
  image: { repository: "registry.example.org/tiled-auth" },
  config: { trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }] },
};
const PROVIDERS = [
  {
    provider: "toy",
    authenticator: "tiled.authenticators:DictionaryAuthenticator",
    args: { users_to_passwords: { alice: "$ALICE" } },
  },
];
const withLogins = (more: object = {}) => ({
  ...MINIMAL,
  config: { ...MINIMAL.config, authentication: { providers: PROVIDERS, secret_keys: ["$TILED_SECRET"] } },
  ...more,
});
const container = ({ Deployment }: Readonly<Record<string, Yaml>>) =>
  Deployment.spec.template.spec.containers[0];

test("the page names only values that the chart has", () => {
  const page = readFileSync(`${ROOT}docs/how-to/kubernetes.md`, "utf8");
  const values = parse(readFileSync(`${CHART}/values.yaml`, "utf8"));
  const named = [...page.matchAll(/`([A-Za-z]+(?:\.[A-Za-z]+)*)(?:: [^`]*)?`/g)].map(([, name = ""]) =>
    name.split("."),
  );
  const ours = named.filter(([first = ""]) => first in values && first !== "config" && first !== "database");
  assert.ok(ours.length > 5);
  for (const path of ours) {
    const found = path.reduce((within, key) => within?.[key], values);
    assert.notEqual(found, undefined, path.join("."));
  }
});

describe("the Helm chart", { skip: withoutHelm() }, async () => {
  const folder = await temporaryFolder(after);

  for (const name of EXAMPLES) {
    it(`${name}.yml: Kubernetes takes the manifests`, { skip: without("kubernetes-validate") }, async () => {
      const file = join(folder, `${name}.yml`);
      await writeFile(file, await rendered(example(name), folder));
      for (const version of KUBERNETES) {
        const { code, stdout, stderr } = await run([
          tool("kubernetes-validate"),
          "--strict",
          "--kubernetes-version",
          version,
          file,
        ]);
        assert.equal(code, 0, stdout + stderr);
      }
    });

    it(`${name}.yml: the configuration loads without a warning, and every variable of it has a Secret`, async () => {
      const { ConfigMap } = await manifests(example(name), folder);
      const text = ConfigMap.data["config.yml"];
      const file = join(folder, `${name}-config.yml`);
      await writeFile(file, text);
      const config = await loadWhole(file, { env: ENV, out: () => {}, err: () => {} });
      assert.deepEqual(config.warnings, []);
      const given = readFileSync(`${ROOT}example_configs/helm/${name}.yml`, "utf8");
      const made = new Set([...given.matchAll(/--from-literal=(\w+)=/g)].map(([, key]) => key));
      for (const [, variable] of text.matchAll(/\$(\w+)/g)) {
        assert.ok(variable === "DATABASE_URI" ? made.has("uri") : made.has(variable), variable);
      }
    });

    it(`${name}.yml: the pod fits the restricted Pod Security Standard, with a read-only root`, async () => {
      const { Deployment } = await manifests(example(name), folder);
      const pod = Deployment.spec.template.spec;
      assert.equal(pod.securityContext.runAsNonRoot, true);
      assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
      assert.equal(pod.automountServiceAccountToken, false);
      assert.deepEqual(pod.containers[0].securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    });
  }

  it("has the version of the package", () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
    const chart = parse(readFileSync(`${CHART}/Chart.yaml`, "utf8"));
    assert.deepEqual(
      [chart.version, chart.appVersion],
      [version, version],
      "Chart.yaml: bump both with package.json",
    );
  });

  it("starts the server as the image does; several replicas only if they can share the configuration", async () => {
    const dockerfile = readFileSync(`${ROOT}Dockerfile`, "utf8");
    const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? "");
    assert.deepEqual(container(await manifests(example("small"), folder)).args, command);
    assert.deepEqual(container(await manifests(example("production"), folder)).args, [
      ...command,
      "--scalable",
    ]);
  });

  it("keeps SQLite on a volume, opened by one pod at a time", async () => {
    const all = await manifests(withLogins(), folder);
    assert.equal(all["Deployment"].spec.strategy.type, "Recreate");
    assert.equal(all["PersistentVolumeClaim"].metadata.annotations["helm.sh/resource-policy"], "keep");
    const { database } = parse(all["ConfigMap"].data["config.yml"]);
    assert.deepEqual(database, { uri: "sqlite:////var/lib/tiled-auth/tiled.db", init_if_not_exists: true });
    const data = all["Deployment"].spec.template.spec.volumes.find(
      ({ name }: { name: string }) => name === "data",
    );
    assert.deepEqual(data.persistentVolumeClaim, { claimName: "demo-tiled-auth" });
  });

  it("with PostgreSQL has no volume, and takes pods away one at a time", async () => {
    const all = await manifests(example("production"), folder);
    assert.equal(all["PersistentVolumeClaim"], undefined);
    assert.equal(all["PodDisruptionBudget"].spec.maxUnavailable, 1);
    assert.deepEqual(all["Deployment"].spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
    const [{ name, valueFrom }] = container(all).env;
    assert.deepEqual(
      [name, valueFrom.secretKeyRef],
      ["DATABASE_URI", { name: "tiled-auth-database", key: "uri" }],
    );
  });

  it("leaves what the configuration says about the database as it is", async () => {
    const { ConfigMap } = await manifests(
      withLogins({
        database: { existingSecret: "db" },
        config: { ...withLogins().config, database: { init_if_not_exists: false, pool_size: 3 } },
      }),
      folder,
    );
    const { database } = parse(ConfigMap.data["config.yml"]);
    assert.deepEqual(database, { uri: "$DATABASE_URI", init_if_not_exists: false, pool_size: 3 });
  });

  it("asks over HTTPS and below a root path where the server listens so", async () => {
    const server = { tls: { cert: "/tls/tls.crt", key: "/tls/tls.key" } };
    const all = await manifests(
      { ...MINIMAL, config: { ...MINIMAL.config, server, uvicorn: { root_path: "/tiled" } } },
      folder,
    );
    const { startupProbe, livenessProbe, readinessProbe } = container(all);
    for (const probe of [startupProbe, livenessProbe]) {
      assert.deepEqual(probe.httpGet, { path: "/tiled/healthz", port: "http", scheme: "HTTPS" });
    }
    assert.deepEqual(readinessProbe.httpGet, { path: "/tiled/healthz/ready", port: "http", scheme: "HTTPS" });
    assert.equal(all["PersistentVolumeClaim"], undefined, "nothing has to be stored");
  });

  it("waits long enough for the server to stop", async () => {
    const { Deployment } = await manifests(example("production"), folder);
    const { terminationGracePeriodSeconds, containers } = Deployment.spec.template.spec;
    assert.ok(terminationGracePeriodSeconds >= containers[0].lifecycle.preStop.sleep.seconds + 10);
  });

  for (const [what, values, message] of [
    ["several replicas on SQLite", withLogins({ replicaCount: 2 }), /more than one replica needs PostgreSQL/],
    ["no image", { ...MINIMAL, image: { repository: "" } }, /image\.repository: name the image/],
    ["no configuration", { ...MINIMAL, config: {} }, /config: give the server's configuration/],
    [
      "a secret in the ConfigMap",
      withLogins({ config: { ...MINIMAL.config, authentication: { secret_keys: ["0123456789abcdef"] } } }),
      /config\/authentication\/secret_keys|does not match pattern/,
    ],
    [
      "two databases",
      withLogins({
        database: { existingSecret: "db" },
        config: { ...MINIMAL.config, database: { uri: "postgresql://db/tiled" } },
      }),
      /both name a database/,
    ],
    [
      "an ingress without a public URL",
      { ...MINIMAL, ingress: { enabled: true, hosts: ["tiled.example.org"] } },
      /set config\.server\.public_url/,
    ],
    ["too little time to stop", { ...MINIMAL, preStopSeconds: 15 }, /ten seconds more than preStopSeconds/],
    ["a misspelt value", { ...MINIMAL, replicas: 2 }, /additional properties? 'replicas'/i],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(rendered(values, folder), message);
    });
  }

  it("puts files beside the configuration", async () => {
    const { ConfigMap } = await manifests({ ...MINIMAL, files: { "users.json": '{"a": 1}\n' } }, folder);
    assert.equal(ConfigMap.data["users.json"], '{"a": 1}\n');
  });
});
