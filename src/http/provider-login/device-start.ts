/**
 * The answer to the start of a device login in its three shapes: RFC 8628's for requests that send a form, Tiled's, and Tiled's
 * with its two addresses swapped for clients that read them so.
 */
import type { FastifyRequest } from "fastify";
import {
  DEVICE_LOGIN_MAX_AGE,
  POLLING_INTERVAL,
  type StartedDeviceLogin,
} from "../../domain/login/device.ts";
import { showUserCode } from "../../domain/login/user-code.ts";
import { isForm } from "../access/body-types.ts";
import { isOlder, pythonClient } from "../headers.ts";

/** Where a person confirms the login, and where the program polls. */
interface Addresses {
  readonly page: string;
  readonly poll: string;
}

export function startAnswer(request: FastifyRequest, { page, poll }: Addresses, started: StartedDeviceLogin) {
  const userCode = showUserCode(started.userCode);
  const common = {
    device_code: started.deviceCode,
    user_code: userCode,
    expires_in: DEVICE_LOGIN_MAX_AGE,
    interval: POLLING_INTERVAL,
  };
  if (isForm(request)) {
    const opened = `${page}?${new URLSearchParams({ state: started.state })}`;
    return {
      ...common,
      verification_uri: opened,
      verification_uri_complete: `${opened}&${new URLSearchParams({ user_code: userCode })}`,
    };
  }
  const browser = started.authorizationUri.href;
  return swaps(request.headers["user-agent"])
    ? { ...common, authorization_uri: poll, verification_uri: browser }
    : { ...common, authorization_uri: browser, verification_uri: poll };
}

/** Python clients 0.2.10 to 0.2.14 poll `authorization_uri` and open `verification_uri`. */
function swaps(userAgent: string | undefined): boolean {
  const version = pythonClient(userAgent);
  return version !== undefined && !isOlder(version, [0, 2, 10]) && isOlder(version, [0, 2, 15]);
}
