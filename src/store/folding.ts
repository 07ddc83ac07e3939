/** How a folded name is kept: as a digest, since folding may make a name longer than any column. */
import { foldName } from "../lib/fold.ts";
import { type Digest, sha256 } from "../lib/secrets.ts";

export function foldedDigest(id: string): Digest {
  return sha256(foldName(id));
}
