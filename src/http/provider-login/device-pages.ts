/** Sends the pages of device logins, each with its status, and fills in the form. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { formToken } from "../../domain/login/binding.ts";
import { POLLING_INTERVAL, type SignedIn } from "../../domain/login/device.ts";
import { readUserCode, showUserCode } from "../../domain/login/user-code.ts";
import type { DeviceRefusal } from "../../domain/ports/logins.ts";
import { type DeviceForm, deviceConfirmed, deviceForm, deviceRefused } from "../../pages/device.ts";
import { programName } from "../../pages/program.ts";
import { cookieOf, sendCookie } from "../access/cookies.ts";
import type { Links } from "../links.ts";
import { queryOf } from "../query.ts";
import { sendPage } from "../send-page.ts";
import type { PageContext } from "./failure-pages.ts";

const USER_CODE_COOKIE = "tiled_user_code";
const FORM_STATUS = { empty: 422, wrong: 401, throttled: 429 } as const;

/** For `verification_uri_complete` (RFC 8628, section 3.3.1): the code is in the form when the browser comes back. */
export function rememberUserCode(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Links,
  path: string,
  userCode: string,
): void {
  sendCookie(reply, USER_CODE_COOKIE, userCode, {
    secure: links.isHttps(request),
    path: links.rootPath + path,
    maxAge: 900,
  });
}

export interface FormFacts {
  readonly signedIn: SignedIn;
  /** The browser's secret. */
  readonly browser: string;
  readonly address: string | null;
  readonly problem: DeviceForm["problem"];
}

export interface DeviceContext extends PageContext {
  now(): number;
  /** The page of a person's CAVE tokens; null if the server does not speak CAVE. */
  readonly caveTokensUrl: string | null;
}

export class DevicePages {
  readonly #pages: DeviceContext;
  readonly #path: string;

  /** `path`: of the form. */
  constructor(pages: DeviceContext, path: string) {
    this.#pages = pages;
    this.#path = path;
  }

  form(request: FastifyRequest, reply: FastifyReply, facts: FormFacts): FastifyReply {
    const { signedIn, browser, address, problem } = facts;
    const { login, identity } = signedIn;
    const known = readUserCode(cookieOf(request, USER_CODE_COOKIE) ?? "") === login.userCode;
    const page = deviceForm({
      ...this.#at,
      action: `${this.#pages.links.rootPath}${this.#path}${queryOf(request)}`,
      token: formToken(login, browser),
      userCode: known ? showUserCode(login.userCode) : "",
      provider: login.provider,
      identity,
      program: programName(login.userAgent),
      address: login.address,
      sameAddress: address !== null && address === login.address,
      age: Math.max(0, Math.floor((this.#pages.now() - login.startedAt.getTime()) / 60_000)),
      problem,
      caveTokensUrl: this.#pages.caveTokensUrl,
    });
    const status = problem === null ? 200 : FORM_STATUS[problem];
    if (status === 401) reply.header("www-authenticate", "Bearer");
    return sendPage(reply, page, { status, noStore: true });
  }

  confirmed(reply: FastifyReply, identity: string): FastifyReply {
    return sendPage(reply, deviceConfirmed(this.#at, identity, POLLING_INTERVAL), { noStore: true });
  }

  refused(reply: FastifyReply, reason: DeviceRefusal): FastifyReply {
    const status = reason === "cancelled" ? 200 : 403;
    return sendPage(reply, deviceRefused(this.#at, reason), { status, noStore: true });
  }

  get #at() {
    const { site, links } = this.#pages;
    return { site, basePath: links.rootPath };
  }
}
