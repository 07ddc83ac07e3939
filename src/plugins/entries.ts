/**
 * The parts of a configuration that name a class: one of this server's own, or an operator's. `config/model.ts` holds
 * them, the loaders of authenticators and policies take them.
 */
import type { Located } from "../yaml/located.ts";
import type { ConfigPlace } from "../yaml/problems.ts";

export interface PluginEntry {
  /** Interpolated, checked against the class's own schema when it is loaded. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly place: ConfigPlace;
  /** `args` with places: `args.ts` finds lines in it, and texts that came from the environment. */
  readonly source?: Located;
}

/** One of `authentication.providers`. */
export interface ProviderEntry extends PluginEntry {
  /** The provider's name. */
  readonly provider: string;
  /** As written: `tiled.authenticators:DictionaryAuthenticator` or `./my_auth.js:MyAuthenticator`. */
  readonly authenticator: string;
  /** Whether names that differ in case only are different people; absent: as the authenticator says. */
  readonly caseSensitive?: boolean;
  /** What people see in place of the name. */
  readonly label?: string;
  /** An image beside it: a file, or one of this server's by its name. */
  readonly icon?: string;
}

/** `access_control`. */
export interface PolicyEntry extends PluginEntry {
  /** As written: `tiled.access_control.access_policies:DummyAccessPolicy` or `./my_policy.js:MyPolicy`. */
  readonly accessPolicy: string;
}
