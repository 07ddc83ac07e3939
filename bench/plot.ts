/**
 * Draws measured shares and their goals as an SVG picture: bars with a mark at the goal. It follows the reader's light or
 * dark theme.
 */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly goal: number;
}

const ROW = 34;
const LEFT = 170;
const WIDTH = 420;

export function plot(title: string, bars: readonly Bar[]): string {
  const height = 60 + bars.length * ROW;
  const rows = bars.map(({ name, value, goal }, index) => {
    const y = 48 + index * ROW;
    const end = LEFT + Math.min(1, value) * WIDTH;
    const mark = LEFT + goal * WIDTH;
    return [
      `<text x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${name.replaceAll("&", "&amp;")}</text>`,
      `<rect class="all" x="${LEFT}" y="${y}" width="${WIDTH}" height="22" rx="3"/>`,
      `<rect class="${value >= goal ? "met" : "missed"}" x="${LEFT}" y="${y}" width="${(end - LEFT).toFixed(1)}" height="22" rx="3"/>`,
      `<line x1="${mark}" x2="${mark}" y1="${y - 4}" y2="${y + 26}"/>`,
      `<text x="${LEFT + WIDTH + 10}" y="${y + 15}">${value.toFixed(2)} of ${goal}</text>`,
    ].join("");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 110} ${height}" role="img" aria-label="${title}">
<style>text{font:13px system-ui,sans-serif;fill:#1f2328}.all{fill:#8883}.met{fill:#2da44e}.missed{fill:#bf8700}line{stroke:#1f2328;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}line{stroke:#e6edf3}}</style>
<text x="10" y="24" style="font-weight:600">${title}; the line is the goal</text>
${rows.join("\n")}
</svg>
`;
}
