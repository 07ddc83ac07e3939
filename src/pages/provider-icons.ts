/**
 * Icons for providers without an image of their own, by the name that a configuration gives. They read on light and on dark.
 */
import { type Asset, asset } from "./assets.ts";

const drawn = (shape: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0f8f85" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${shape}</svg>\n`;

const SHAPES: Readonly<Record<string, string>> = {
  globe: '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c5 5 5 13 0 18c-5-5-5-13 0-18"/>',
  institution: '<path d="M3 9l9-5l9 5zM5 9v9M10 9v9M14 9v9M19 9v9M3 20h18"/>',
  key: '<circle cx="8" cy="15" r="4"/><path d="M11 12l9-9M16 7l3 3"/>',
  person: '<circle cx="12" cy="8" r="4"/><path d="M4 20c1-8 15-8 16 0"/>',
};

export const PROVIDER_ICONS: ReadonlyMap<string, Asset> = new Map(
  Object.entries(SHAPES).map(([name, shape]) => [name, asset(name, "svg", "image/svg+xml", drawn(shape))]),
);
