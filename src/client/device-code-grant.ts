/**
 * Login in a browser with a code (RFC 8628), in the server's own form, or at a provider whose tokens the server accepts.
 */
import { segmentOf } from "./address.ts";
import { chosen } from "./choose.ts";
import type { Context } from "./context.ts";
import { isLogin } from "./documents.ts";
import { LoginExpired, LoginRefused, type TiledError } from "./errors.ts";
import { type Answered, ask, type Parts, partsOf, type Question } from "./parts.ts";
import { isProxied, providersUrl, scopesOf } from "./session.ts";
import { pause, type Signal } from "./wait.ts";
import type { Provider, Tokens } from "./wire.ts";

/** For the person who logs in. */
export interface Verification {
  /** To be opened in a browser. http or https. */
  readonly verificationUri: string;
  /** To be entered there. */
  readonly userCode: string;
  /** Seconds until the code expires. */
  readonly expiresIn: number;
  /** Seconds between two polls. */
  readonly interval: number;
}

export interface DeviceCodeGrantOptions {
  /** Default: the only provider with a login in the browser. */
  readonly provider?: string | undefined;
  /** Shows the code. A promise is awaited before the first poll. */
  readonly onVerification: (verification: Verification) => unknown;
  readonly signal?: AbortSignal | undefined;
}

interface Started extends Verification {
  readonly deviceCode: string;
}

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code";

/**
 * Waits for the person and returns the tokens for `context.configureAuth`. Fails with LoginExpired,
 * LoginRefused, RequestRefused, ServerUnavailable, and as `onVerification` does.
 *
 * @example
 * ```ts
 * import { deviceCodeGrant, fromUri } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org", {
 *   prompt: (context, _providers, { signal }) =>
 *     deviceCodeGrant(context, {
 *       onVerification: ({ verificationUri, userCode }) => console.log(`Enter ${userCode} at ${verificationUri}`),
 *       signal,
 *     }),
 * });
 * ```
 */
export async function deviceCodeGrant(
  context: Context,
  { provider, onVerification, signal }: DeviceCodeGrantOptions,
): Promise<Tokens> {
  const parts = partsOf(context);
  const which = chosen(parts, provider, true);
  const { deviceCode, ...verification } = await start(parts, which, signal);
  const deadline = performance.now() + verification.expiresIn * 1000;
  await onVerification(verification);
  let { interval } = verification;
  for (;;) {
    await pause(interval * 1000, signal);
    if (performance.now() > deadline) throw new LoginExpired("The code expired before it was entered.");
    const answer = await ask(parts, { ...pollOf(parts, which, deviceCode), repeat: "always", signal });
    if (answer.status === 400 || answer.status === 404)
      interval += await waitsMore(answer, performance.now() + interval * 1000 > deadline);
    else {
      const tokens = await answer.document();
      if (!isLogin(tokens)) throw answer.notOurs();
      return tokens;
    }
  }
}

async function start(parts: Parts, provider: Provider, signal: Signal): Promise<Started> {
  const { provider: name, links } = provider;
  const request = isProxied(provider)
    ? {
        path: providersUrl(parts, links.auth_endpoint),
        form: { client_id: links.client_id ?? "", scope: scopesOf(provider) },
      }
    : { path: `auth/provider/${segmentOf(name)}/authorize`, method: "POST" };
  const answer = await ask(parts, { ...request, repeat: "unprocessed", signal });
  const started = ((await answer.document()) ?? {}) as Readonly<Record<string, unknown>>;
  const uri =
    started["authorization_uri"] ??
    started["verification_uri_complete"] ??
    started["verification_uri"] ??
    started["verification_url"];
  const { user_code: userCode, device_code: deviceCode } = started;
  if (!isWebPage(uri) || !isCode(userCode) || !isCode(deviceCode)) throw answer.notOurs();
  const expiresIn = within(started["expires_in"], 900, 86_400);
  return {
    verificationUri: uri,
    userCode,
    deviceCode,
    expiresIn,
    interval: within(started["interval"], 5, 300),
  };
}

function pollOf(parts: Parts, provider: Provider, deviceCode: string): Omit<Question, "repeat"> {
  const fields = { device_code: deviceCode, grant_type: GRANT_TYPE };
  const { client_id: client, token_endpoint: endpoint } = provider.links;
  if (!isProxied(provider))
    return { path: `auth/provider/${segmentOf(provider.provider)}/token`, json: fields };
  return { path: providersUrl(parts, endpoint), form: { ...fields, client_id: client ?? "" } };
}

/** Seconds to add to the interval (RFC 8628 §3.5). Fails if the login was denied or has expired. */
async function waitsMore(answer: Answered, last: boolean): Promise<number> {
  const refusal = (await answer.refusal()) as TiledError;
  const { error } = (refusal.detail ?? {}) as { readonly error?: unknown };
  if (error === "authorization_pending") return 0;
  if (error === "slow_down") return 5;
  const { status, detail, requestId, url } = refusal;
  const facts = { status, detail, requestId, url };
  // The server forgets an expired code.
  if (error === "expired_token" || (last && status === 404))
    throw new LoginExpired("The code expired before it was entered.", facts);
  throw new LoginRefused(`The login was refused. ${refusal.message}`, facts);
}

function isWebPage(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length < 8192 &&
    URL.canParse(value) &&
    /^https?:\/\/[\x21-\x7e]+$/.test(value)
  );
}

function isCode(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,4096}$/.test(value);
}

function within(value: unknown, fallback: number, most: number): number {
  const number = Number(value ?? fallback);
  return number >= 1 ? Math.min(number, most) : fallback;
}
