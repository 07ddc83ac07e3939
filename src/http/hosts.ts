/**
 * The host names under which this server answers. An attacker can make a name of theirs resolve to this server's address
 * (DNS rebinding), so that their page shares its origin in a visitor's browser; but the browser still sends that name.
 */
import { isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { Failure } from "../errors.ts";
import { isHost, nameOf } from "./host-names.ts";
import type { Proxies } from "./proxies.ts";
import { routeOf } from "./route.ts";

export interface HostsOptions {
  readonly server: {
    readonly publicUrl: string | null;
    readonly accountUrl: string | null;
    readonly host: string;
    readonly hosts: readonly string[];
    readonly verifyHosts: readonly string[];
  };
  readonly cave: { readonly serverAddress: string } | null;
  readonly upstreams: readonly { readonly host: string | null }[];
  /** The machine's name. */
  readonly machine: string;
  readonly proxies: Proxies;
  readonly log: { warn(text: string): void };
}

const MOST_REMEMBERED = 256;

export function checkHosts(app: FastifyInstance, options: HostsOptions): void {
  const { proxies, log } = options;
  const known = new Set(namesOf(options).map(nameOf));
  /** Values of `Host` that are known to be good, so that most requests cost one lookup. */
  const good = new Set<string>();
  let reported = false;

  const isKnown = (host: string): boolean => {
    if (good.has(host)) return true;
    // A text that is no host is refused when a link is made of it.
    if (isHost(host) && !isSafe(nameOf(host)) && !known.has(nameOf(host))) return false;
    if (good.size < MOST_REMEMBERED) good.add(host);
    return true;
  };

  app.addHook("onRequest", (request, _reply, done) => {
    const host = proxies.read(request).host ?? request.raw.headers.host;
    // Probes use any name; a proxy in the configuration vouches for the names that it passes on.
    if (host === undefined || isKnown(host) || routeOf(request).hostless || proxies.vouches(request)) {
      done();
      return;
    }
    const name = nameOf(host);
    if (!reported) {
      reported = true;
      log.warn(
        `A request for the host ${name} is refused, since this server does not know the name. If it is yours, add it to server.hosts, or set server.public_url.`,
      );
    }
    done(
      new Failure("unknown_host", {
        detail: `This server does not know the name '${name}'. Its operator names it in server.hosts, or in server.public_url.`,
      }),
    );
  });
}

/** Of the configuration and of the machine. */
function namesOf({ server, cave, upstreams, machine }: HostsOptions): string[] {
  const { publicUrl, accountUrl, host, hosts, verifyHosts } = server;
  const own = [publicUrl, accountUrl, cave?.serverAddress].flatMap((url) =>
    url == null ? [] : [new URL(url).host],
  );
  return [...own, ...hosts, ...verifyHosts, ...upstreams.flatMap((one) => one.host ?? []), host, machine];
}

/** A foreign page cannot have such a name: an address, a name of this machine, or one without a domain. */
function isSafe(name: string): boolean {
  return isIP(name) !== 0 || !name.includes(".") || name.endsWith(".localhost");
}
