/** OpenAPI documents in tests: what a server sends, and whether an answer is one that its document describes. */
import assert from "node:assert/strict";
import { Ajv } from "ajv";
import type { LightMyRequestResponse } from "fastify";
import type { OpenApi } from "../../scripts/openapi.ts";
import type { TestApp } from "./app.ts";

export async function documentOf(t: TestApp): Promise<OpenApi> {
  return (await t.call("/openapi.json")).json<OpenApi>();
}

/** Fails if the document does not describe an answer to `operation`, e.g. `get /api/v1/`: status, body and header fields. */
export function answersOf(document: OpenApi) {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, "api");
  return (operation: string, { statusCode, headers, body }: LightMyRequestResponse): void => {
    const name = `${operation}: ${statusCode}`;
    const [method = "", path = ""] = operation.split(" ");
    const described = document.paths[path]?.[method]?.responses[String(statusCode)];
    assert.ok(described, `${name} is not described`);
    const shared = described.$ref?.split("/").at(-1);
    const answer = shared === undefined ? described : document.components.responses[shared];
    assert.ok(answer, `${name} has no definition`);
    if (body !== "") {
      const [mediaType = ""] = String(headers["content-type"]).split(";");
      assert.ok(answer.content?.[mediaType], `${name} with ${mediaType} is not described`);
      if (mediaType === "application/json") {
        const place =
          shared === undefined
            ? ["paths", path, method, "responses", String(statusCode)]
            : ["components", "responses", shared];
        const pointer = [...place, "content", mediaType, "schema"].map(inPointer).join("/");
        const validate = ajv.compile({ $ref: `api#/${pointer}` });
        assert.ok(validate(JSON.parse(body)), `${name}: ${JSON.stringify(validate.errors)} ${body}`);
      }
    }
    const fields = answer.headers ?? {};
    for (const field of ["Retry-After", "WWW-Authenticate", "X-Tiled-Root", "X-Tiled-Request-ID", "Location"])
      if (field.toLowerCase() in headers) assert.ok(field in fields, `${name} does not describe ${field}`);
  };
}

/** RFC 6901, in a URI's fragment. */
function inPointer(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}
