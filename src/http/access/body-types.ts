/**
 * The media type of a request's body: a route declares which it takes, and another one is 415 (RFC 9110, section 15.5.16)
 * before a byte of it is read.
 */
import type {
  FastifyInstance,
  FastifyRequest,
  preParsingHookHandler,
  preValidationHookHandler,
} from "fastify";
import { Failure } from "../../errors.ts";

type BodyType = "form" | "json" | "form or json";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The type of the body, for a route that takes one. */
    body?: BodyType;
  }
}

const FORM = "application/x-www-form-urlencoded";
const JSON_BODY = "application/json";
const TAKEN: Readonly<Record<BodyType, readonly string[]>> = {
  form: [FORM],
  json: [JSON_BODY],
  "form or json": [FORM, JSON_BODY],
};

export function checkBodyTypes(app: FastifyInstance): void {
  app.addHook("onRoute", (route) => {
    const { body } = route.config ?? {};
    if (body === undefined) return;
    route.preParsing = [refuseOthers(TAKEN[body]), ...[route.preParsing ?? []].flat()];
    if (body === "form") route.preValidation = [emptyForm, ...[route.preValidation ?? []].flat()];
  });
}

/** Whether the body is a form, as OAuth's clients send it. */
export function isForm(request: FastifyRequest): boolean {
  return typeOf(request) === FORM;
}

function refuseOthers(taken: readonly string[]): preParsingHookHandler {
  const detail = `This route takes ${taken.join(" or ")} only.`;
  return (request, _reply, payload, done) => {
    const given = typeOf(request);
    const fits = given === undefined || taken.includes(given);
    done(fits ? null : new Failure("media_type", { detail }), payload);
  };
}

function typeOf(request: FastifyRequest): string | undefined {
  return request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
}

/** A request without a body is a form without fields. */
const emptyForm: preValidationHookHandler = (request, _reply, done) => {
  request.body ??= {};
  done();
};
