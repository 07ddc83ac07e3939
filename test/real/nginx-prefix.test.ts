/**
 * A real nginx with the shortest configuration there is, `proxy_pass` and nothing else, in front of ours below a prefix: it
 * sends its own name of us as Host, and rewrites each redirect that begins with it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";
import { freePort } from "../support/free-port.ts";
import { PROGRAMS, withoutProxy } from "../support/proxies.ts";
import { startBoth } from "../support/upstream.ts";

const skip = withoutProxy("nginx");

describe("nginx's bare proxy_pass", { skip }, async () => {
  if (skip !== false) return;
  const folder = await temporaryFolder(after);

  // With a slash it takes the prefix off, without one it does not.
  for (const slash of ["/", ""]) {
    test(`redirects have the prefix once, ${slash === "" ? "passed on" : "taken off"}`, async (t) => {
      const { port: behind, upstream } = await startBoth((last) => t.after(last), {
        server: { rootPath: "/tiled" },
        authentication: { allowAnonymousAccess: true },
      });
      const port = await freePort();
      const file = `${folder}/${port}.conf`;
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join(" ");
      await writeFile(
        file,
        `daemon off; pid ${folder}/${port}.pid; error_log stderr; events {}
http { access_log off; ${temporary}
  server { listen 127.0.0.1:${port}; location /tiled/ { proxy_pass http://127.0.0.1:${behind}${slash}; } } }`,
      );
      const nginx = spawn(PROGRAMS.nginx, ["-c", file, "-p", folder], { stdio: "ignore" });
      t.after(() => nginx.kill());
      const url = `http://127.0.0.1:${port}`;
      const up = () =>
        fetch(`${url}/tiled/healthz`).then(
          ({ ok }) => ok,
          () => false,
        );
      assert.ok(await eventually(20, up));

      const page = await fetch(`${url}/tiled/account`, { headers: { accept: "text/html" } });
      assert.deepEqual([page.status, new URL(page.url).pathname], [200, "/tiled/login"]);
      const about = await fetch(`${url}/tiled/api/v1`);
      assert.deepEqual([about.status, about.url], [200, `${url}/tiled/api/v1/`]);
      upstream.answer = (_request, response) => {
        response.writeHead(307, { location: `${upstream.url}/api/v1/moved` }).end();
      };
      const moved = await fetch(`${url}/tiled/api/v1/x`, { redirect: "manual" });
      assert.equal(new URL(moved.headers.get("location") ?? "", url).href, `${url}/tiled/api/v1/moved`);
    });
  }
});
