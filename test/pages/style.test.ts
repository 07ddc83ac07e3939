/** Contrast of the palette (WCAG 2.2, 1.4.3 and 1.4.11), computed from the stylesheet itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { STYLE } from "../../src/pages/style.ts";

function palette(scheme: "light" | "dark"): Map<string, string> {
  const [light = "", dark = ""] = STYLE.split("@media (prefers-color-scheme: dark)", 2);
  const block = /:root \{([^}]*)\}/.exec(scheme === "light" ? light : dark)?.[1] ?? "";
  return new Map(
    [...block.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(left: string, right: string): number {
  const [light = 0, dark = 0] = [luminance(left), luminance(right)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

for (const scheme of ["light", "dark"] as const) {
  test(`${scheme}: text has 4.5:1, the focus ring 3:1 on every background`, () => {
    const colours = palette(scheme);
    const colour = (name: string) => colours.get(name) ?? assert.fail(`no colour ${name}`);
    for (const background of ["ground", "surface", "code"]) {
      for (const text of ["ink", "quiet", "accent", "problem"]) {
        const ratio = contrast(colour(text), colour(background));
        assert.ok(ratio >= 4.5, `${text} on ${background}: ${ratio.toFixed(2)}`);
      }
      assert.ok(contrast(colour("focus"), colour(background)) >= 3, `focus on ${background}`);
    }
    assert.ok(contrast(colour("inverse"), colour("accent")) >= 4.5, "text of a button");
  });
}
