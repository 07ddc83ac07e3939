/**
 * Folders with more entries than the server may open files.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readers } from "../clients.ts";
import { type Place, publicToy, type Scenario } from "../scenario.ts";

async function crowded(place: Place, entries: number): Promise<object> {
  const folder = await place.folder();
  await mkdir(join(folder, "many"));
  for (let entry = 0; entry < entries; entry += 1) {
    await writeFile(join(folder, "many", `e${entry}.csv`), "a\n1\n");
    await writeFile(join(folder, "many", `e${entry}.json`), `{"n": ${entry % 100}}`);
  }
  return publicToy(place, { trees: [{ path: "/", tree: "files", args: { directory: folder } }] });
}

const sorted = (entries: number): Scenario => ({
  name: `fan-out-${entries}`,
  attack: `four sorted searches of a folder of ${entries} entries, 1,024 descriptors`,
  descriptors: 1024,
  prepare: async (place) => ({
    config: await crowded(place, entries),
    run: (target, count) =>
      readers(target, "/api/v1/search/many?sort=-n", { connections: 4, seconds: 60 }, count),
  }),
});

export const scenarios: readonly Scenario[] = [sorted(1100), sorted(20_000)];
