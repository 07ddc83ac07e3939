/** The parts that a start opens and `createApp` puts together. Tests pass their own. */
import type { Logger } from "pino";
import type { CaveRulesInForce } from "../domain/cave/rules.ts";
import type { Authenticator } from "../domain/ports/authenticator.ts";
import type { Store } from "../domain/ports/store.ts";
import type { SocketTimeouts } from "../http/gateway/socket.ts";
import type { Budget } from "../lib/budget.ts";
import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secrets.ts";
import type { Asset } from "../pages/assets.ts";
import type { Tls } from "../tls.ts";
import type { DataReader } from "../trees/encoding/jobs.ts";
import type { Tree } from "../trees/model/contract.ts";
import type { AccessPolicy } from "../trees/policies/contract.ts";

/** The operator's images, each once. */
export function imagesOf({ logo, icons }: Pick<AppParts, "logo" | "icons">): readonly Asset[] {
  const all = [...(logo === null ? [] : [logo]), ...(icons?.values() ?? [])];
  return [...new Map(all.map((image) => [image.path, image])).values()];
}

export interface AppParts {
  /** Null in the modes without providers. */
  readonly store: Store | null;
  readonly authenticators: ReadonlyMap<string, Authenticator>;
  readonly tree: Tree;
  /** Null: only the scopes of a credential count. */
  readonly policy: AccessPolicy | null;
  /** Null: the server does not speak CAVE. A reload replaces what is inside. */
  readonly cave: CaveRulesInForce | null;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The key of the modes without providers. */
  readonly singleUserKey: Secret | null;
  /** The first signs, all verify; never empty. */
  readonly secretKeys: readonly Secret[];
  /** PEM; null where this server does not terminate TLS. */
  readonly tls: Tls | null;
  /** The operator's, for the pages. */
  readonly logo: Asset | null;
  /** The icons of providers, by name. */
  readonly icons?: ReadonlyMap<string, Asset>;
  /** Reads data in another thread; without one, this thread reads them. */
  readonly reader?: DataReader;
  /** Memory for answers with data; smaller in tests. */
  readonly budget?: Budget;
  /** Timeouts of WebSockets; shorter in tests. */
  readonly socketTimeouts?: SocketTimeouts;
}
