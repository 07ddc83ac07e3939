/**
 * The operator's images, i.e. the logo and the icons of providers: read once at the start and served from memory like our own assets.
 */
import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { OperatorError } from "../errors.ts";
import { unreadable } from "../lib/unreadable.ts";
import { type Asset, asset } from "./assets.ts";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
};

/** `directory`: where a relative path starts. */
export function readLogo(path: string, directory: string): Promise<Asset> {
  return readImage("logo", path, directory, 1_048_576);
}

/** The icon of a provider. */
export function readIcon(path: string, directory: string): Promise<Asset> {
  return readImage("provider", path, directory, 131_072);
}

async function readImage(name: string, path: string, directory: string, largest: number): Promise<Asset> {
  const file = resolve(directory, path);
  const extension = extname(file).slice(1).toLowerCase();
  const mediaType = MEDIA_TYPES[extension];
  if (mediaType === undefined) {
    throw new OperatorError(
      `${path} is not an image that can be served. Use a file that ends in ${Object.keys(MEDIA_TYPES).join(", ")}.`,
    );
  }
  const content = await readFile(file).catch((error: unknown) => {
    throw new OperatorError(unreadable(file, error));
  });
  if (content.length > largest) {
    throw new OperatorError(
      `${file} is larger than ${largest / 1024} KiB, and it is loaded with every page. Make it smaller.`,
    );
  }
  return asset(name, extension, mediaType, content);
}
