/**
 * The operator's logo: a file that is read once, at the start, and served from memory like our own assets.
 */
import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { OperatorError } from "../errors.ts";
import { type Asset, asset } from "./assets.ts";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
};

const LARGEST = 1_048_576;

/** `directory`: where a relative path starts. */
export async function readLogo(path: string, directory: string): Promise<Asset> {
  const file = resolve(directory, path);
  const extension = extname(file).slice(1).toLowerCase();
  const mediaType = MEDIA_TYPES[extension];
  if (mediaType === undefined) {
    throw new OperatorError(
      `pages.logo: ${path} is none of the kinds of image that can be served: ${Object.keys(MEDIA_TYPES).join(", ")}.`,
    );
  }
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new OperatorError(`pages.logo: the file ${file} cannot be read (${error.code ?? error.message}).`);
  });
  if (content.length > LARGEST) {
    throw new OperatorError(
      `pages.logo: the file ${file} is larger than ${LARGEST / 1024} KiB; it is loaded with every page.`,
    );
  }
  return asset("logo", extension, mediaType, content);
}
