/**
 * `npm run picture`: the rooms of `src/` in their rows, from the top, and what each imports. `-- --mermaid` draws the folders
 * directly in `src/`; `-- --check` prints only what is wrong, for `npm run check`. Circles of files alone are Biome's.
 */
import { parseArgs } from "node:util";
import {
  circlesIn,
  filesIn,
  type Graph,
  grouped,
  ROWS,
  reachable,
  roomOf,
  rowOf,
  upwardIn,
} from "./imports.ts";

const { values: options } = parseArgs({
  options: { check: { type: "boolean", default: false }, mermaid: { type: "boolean", default: false } },
});
const files = filesIn(["src", "migrations"]);
const rooms = grouped(files, roomOf);
const [circles, upward] = [circlesIn(rooms), upwardIn(rooms)];

if (options.mermaid) console.log(mermaid(grouped(rooms, (room) => room.split("/", 1)[0] ?? room)));
else if (!options.check) console.log(listing());

for (const circle of circles) console.error(`These import each other: ${circle.join(", ")}`);
for (const [from, to] of upward)
  console.error(`${from} must not import ${to}: it stands in a higher row, or one has no row.`);
for (const [file, imports] of files) {
  for (const other of imports)
    if (isWrong(roomOf(file), roomOf(other))) console.error(`  ${file} -> ${other}`);
}
if (circles.length + upward.length > 0) process.exitCode = 1;

/** An arrow upward closes most circles: while there is one, the files of the circles would hide it. */
function isWrong(from: string, to: string): boolean {
  if (upward.length > 0) return upward.some((arrow) => arrow[0] === from && arrow[1] === to);
  return from !== to && circles.some((circle) => circle.includes(from) && circle.includes(to));
}

function listing(): string {
  const rows = ROWS.map((_, at) =>
    [...rooms]
      .filter(([room]) => rowOf(room) === at)
      .map(([room, imports]) => `${room.padEnd(24)}${[...imports].sort().join(" ")}`)
      .join("\n"),
  );
  const arrows = [...rooms.values()].reduce((sum, { size }) => sum + size, 0);
  const lines = [
    `${files.size} files in ${rooms.size} rooms with ${arrows} arrows`,
    `circles: ${circles.length} of rooms, ${circlesIn(files).length} of files; arrows upward: ${upward.length}`,
  ];
  return [...rows, lines.join("\n")].join("\n\n");
}

/** An arrow that longer ways imply is left out. */
function mermaid(graph: Graph): string {
  const id = (room: string) => room.replaceAll(/\W/g, "_");
  const lines = [...graph].flatMap(([from, imports]) => {
    const implied = new Set([...imports].flatMap((to) => [...reachable(graph, to)]));
    return [...imports].filter((to) => !implied.has(to)).map((to) => `  ${id(from)} --> ${id(to)}`);
  });
  return ["flowchart TD", ...[...graph.keys()].map((room) => `  ${id(room)}["${room}"]`), ...lines].join(
    "\n",
  );
}
