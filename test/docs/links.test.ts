/**
 * Every relative link and anchor in the project's Markdown leads somewhere, the index lists every page, and every page that
 * a message or an example names exists.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = "{docs,example_configs,examples,src,test,bench,migrations,deploy,charts,helm}";
const PAGES = globSync(["*.md", `${FOLDERS}/**/*.md`], { cwd: ROOT, exclude: ["**/node_modules/**"] });

/** The page's text without code, where a bracket is no link. */
function prose(file: string): string {
  const text = readFileSync(join(ROOT, file), "utf8");
  return text.replaceAll(/^( *)(```+).*?^\1\2$/gms, "");
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(file: string): Set<string> {
  const seen = new Map<string, number>();
  const found = new Set<string>();
  for (const [, heading = ""] of prose(file).matchAll(/^#+ (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    found.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return found;
}

/** The relative links of a page: the file that each names, from the root, and its anchor. */
function links(file: string): { text: string; target: string; anchor: string }[] {
  return [
    ...prose(file)
      .replaceAll(/`[^`\n]*`/g, "code")
      .matchAll(/\]\(([^()\s]+)\)/g),
  ]
    .map(([, text = ""]) => text)
    .filter((text) => !/^[a-z]+:/.test(text))
    .map((text) => {
      const [path = "", anchor = ""] = text.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      return { text, target, anchor };
    });
}

test("every relative link leads to a file and an anchor that exist", () => {
  assert.ok(PAGES.includes("README.md") && PAGES.length > 20);
  const broken: string[] = [];
  for (const page of PAGES) {
    for (const { text, target, anchor } of links(page)) {
      if (target.startsWith("..") || !existsSync(join(ROOT, target))) broken.push(`${page}: ${text}`);
      else if (anchor !== "" && !anchors(target).has(anchor))
        broken.push(`${page}: ${text} (no such heading)`);
    }
  }
  assert.deepEqual(broken, []);
});

test("the index lists every page of docs", () => {
  const listed = new Set(links("docs/README.md").map(({ target }) => target));
  const pages = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  assert.deepEqual(
    pages.filter((page) => !listed.has(page)),
    [],
  );
});

test("every page that a message or an example names exists", () => {
  const files = globSync(["src/**/*.ts", "example_configs/**/*.{yml,js,conf,cfg,env}"], { cwd: ROOT });
  const missing = files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), "utf8").matchAll(/\bdocs\/[\w/-]+\.md/g)]
      .filter(([page]) => !existsSync(join(ROOT, page)))
      .map(([page]) => `${relative(ROOT, join(ROOT, file))}: ${page}`),
  );
  assert.deepEqual(missing, []);
});
