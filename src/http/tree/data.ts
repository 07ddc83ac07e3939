/**
 * Answers with data: in the negotiated media type, and as a download if the request gives a file name (RFC 6266).
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type TObject, Type } from "typebox";
import { Failure } from "../../errors.ts";
import { refusals } from "../../schemas/errors.ts";
import { dataIn } from "../../schemas/tree.ts";
import { type MediaType, negotiate, OFFER, type Readable, refusal } from "../../trees/search/formats.ts";
import { answerBytes } from "../answer.ts";
import { keepForCaller } from "./nodes.ts";
import { unify } from "./query.ts";

/** Query parameters of all data routes. */
export const DataQuery = {
  format: Type.Optional(
    Type.String({ description: "A media type or one of its aliases; takes precedence over `Accept`." }),
  ),
  filename: Type.Optional(Type.String({ description: "The file name to save the answer under." })),
};

/** Schema, access and hooks of all data routes. */
export function dataRoute<Query extends TObject>(
  operationId: string,
  summary: string,
  readable: readonly Readable[],
  querystring: Query,
) {
  const responses = {
    200: dataIn([...new Set(readable.flatMap((one) => OFFER.formats[one]))]),
    ...refusals(400, 401, 404, 406, 422, 429, 503),
  };
  return {
    config: { access: { scopes: ["read:data"] } },
    schema: { tags: ["tree"], operationId, summary, querystring, response: responses },
    preValidation: unify(querystring),
    preHandler: keepForCaller,
  } as const;
}

interface DataRequest {
  readonly format?: string;
  readonly filename?: string;
}

/**
 * Negotiates the media type.
 *
 * @throws {Failure} 406 if nothing that was requested is offered.
 */
export function wantedType(request: FastifyRequest, readable: Readable): MediaType {
  const { format } = request.query as DataRequest;
  const wish = { format, accept: request.headers.accept };
  const mediaType = negotiate(readable, wish);
  if (mediaType === undefined) throw new Failure("not_acceptable", { detail: refusal(readable, wish) });
  return mediaType;
}

/** A 406 answer: the media type is supported, but not for this data. */
export function unfit(mediaType: MediaType, why: string): Failure {
  return new Failure("not_acceptable", {
    detail: `${why} is incompatible with the requested format (${mediaType.name}). Slice it or choose a different format.`,
  });
}

/** Sends a whole answer, with an ETag. */
export function sendData(
  request: FastifyRequest,
  reply: FastifyReply,
  mediaType: MediaType,
  body: Uint8Array | string,
): FastifyReply {
  const { "content-type": type, ...headers } = dataHeaders(request, mediaType);
  return answerBytes(request, reply, body, type, { headers });
}

/** The headers `content-type` and, for a download, `content-disposition`. */
export function dataHeaders(
  request: FastifyRequest,
  mediaType: MediaType,
): Readonly<Record<string, string>> & { readonly "content-type": string } {
  const { filename } = request.query as DataRequest;
  const type = mediaType.name.startsWith("text/")
    ? `${mediaType.name}${mediaType.header ? "" : "; header=absent"}; charset=utf-8`
    : mediaType.name;
  return { "content-type": type, ...(filename && { "content-disposition": attachment(filename) }) };
}

function attachment(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\]/g, "_");
  const encoded = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"${plain === filename ? "" : `; filename*=UTF-8''${encoded}`}`;
}
