/**
 * The places of the settings that a start can fail on, by the keys that the operator wrote: e.g. `uvicorn.ssl_certfile` and
 * not our own `server.tls.cert`.
 */

import { at, isNothing, type Path, pathText } from "../yaml/located.ts";
import type { ConfigPlace } from "../yaml/problems.ts";
import type { Context } from "./context.ts";
import { placeText } from "./context.ts";
import type { Places } from "./model.ts";

export function placesOf(context: Context): Places {
  const { host, port } = context.overrides;
  const cert = first(context, ["server", "tls", "cert"], ["uvicorn", "ssl_certfile"]);
  return {
    host: host === undefined ? first(context, ["server", "host"], ["uvicorn", "host"]) : option("--host"),
    port: port === undefined ? first(context, ["server", "port"], ["uvicorn", "port"]) : option("--port"),
    cert,
    // One PEM file may hold both.
    key: written(context, ["server", "tls", "key"]) ?? written(context, ["uvicorn", "ssl_keyfile"]) ?? cert,
    logo: context.place(["pages", "logo"]),
    database: context.place(["database", "uri"]),
  };
}

/** The first of two keys that the file has, else our own. */
function first(context: Context, ours: Path, theirs: Path): ConfigPlace {
  return written(context, ours) ?? written(context, theirs) ?? { file: "", line: 0, path: pathText(ours) };
}

function written(context: Context, path: Path): ConfigPlace | undefined {
  const node = at(context.root, path);
  return node === undefined || isNothing(node) ? undefined : context.place(path);
}

function option(name: string): ConfigPlace {
  return { file: "", line: 0, path: `option ${name}` };
}

/** `uvicorn.port, config.yml:3`; for a default the key alone. */
export function placeName(place: ConfigPlace): string {
  return place.file === "" ? place.path : `${place.path}, ${placeText(place)}`;
}
