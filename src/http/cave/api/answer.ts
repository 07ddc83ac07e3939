/** Answers of CAVE's API: JSON for one caller, whatever the client accepts, without a charset, which caveclient does not expect. */
import type { FastifyReply } from "fastify";
import { JSON_TYPE } from "../../answer.ts";

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return sendText(reply, JSON.stringify(value));
}

/** `text`: JSON. */
export function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.header("cache-control", "no-store").header("content-type", JSON_TYPE).send(text);
}
