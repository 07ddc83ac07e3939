/** `/auth/apikey`: create a key of one's own, show the key in use, revoke one. */
import type { Static } from "typebox";
import type { ApiKeyRequest } from "../../domain/api-keys.ts";
import type { KeyActivity } from "../../domain/callers/key-activity.ts";
import type { ApiKeyRecord } from "../../domain/model/entities.ts";
import { Failure } from "../../errors.ts";
import { ByteBoundedMap } from "../../lib/byte-bounded-map.ts";
import { bytesOf } from "../../lib/size.ts";
import { ApiKey, ApiKeyBody, FirstEightQuery, NewApiKey } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { noContent } from "../access/access.ts";
import { keyOf, knownOf } from "../access/callers.ts";
import { answer, Document } from "../answer.ts";
import type { TypedApp } from "../typed-app.ts";
import type { AuthServices } from "./services.ts";
import { apiKeyView } from "./views.ts";

/** Room for about 4,000 answers. */
const ANSWERS_BYTES = 4_000_000;
/** Of what an answer has beside the key: names of fields, the ETag, and a place for msgpack. */
const ANSWER_BYTES = 400;

/** The answers that show a key, encoded once for as long as the key and its latest use stay the same. */
class KeyAnswers {
  readonly #activity: KeyActivity;
  /** A key that has changed is another object (`principal-cache.ts`). */
  readonly #known = new ByteBoundedMap<
    ApiKeyRecord,
    { readonly latest: Date | null; readonly shown: Document }
  >(ANSWERS_BYTES);

  constructor(activity: KeyActivity) {
    this.#activity = activity;
  }

  of(key: ApiKeyRecord): Document {
    const latest = this.#activity.latest(key.principal, key.firstEight, key.latestActivity);
    const known = this.#known.get(key);
    if (known?.latest === latest) return known.shown;
    const shown = new Document(apiKeyView(key, latest));
    // The key itself, and its texts in both formats.
    this.#known.set(key, { latest, shown }, 3 * bytesOf(key) + ANSWER_BYTES);
    return shown;
  }
}

export function apiKeyRoutes(app: TypedApp, services: AuthServices): void {
  const answers = new KeyAnswers(services.activity);
  app.post(
    "/api/v1/auth/apikey",
    {
      config: { access: { scopes: ["create:apikeys"] }, body: "json" },
      schema: {
        tags: ["api key"],
        operationId: "createApiKey",
        summary: "Create an API key",
        body: ApiKeyBody,
        response: { 200: NewApiKey, ...refusals(400, 401, 403, 422) },
      },
    },
    async (request, reply) => {
      const caller = knownOf(request);
      const made = await services.apiKeys.create(
        caller,
        caller.principal,
        apiKeyRequest(request.body),
        services.contextOf(request),
      );
      return answer(request, reply, { ...apiKeyView(made.key), secret: made.secret }, { noStore: true });
    },
  );

  app.get(
    "/api/v1/auth/apikey",
    {
      config: { access: "api_key" },
      schema: {
        tags: ["api key"],
        operationId: "whichApiKey",
        summary: "Show the API key of this request",
        response: { 200: ApiKey, ...refusals(401) },
      },
    },
    (request, reply) => {
      answer(request, reply, answers.of(keyOf(request)), { noStore: true });
    },
  );

  app.delete(
    "/api/v1/auth/apikey",
    {
      config: { access: { scopes: ["revoke:apikeys"] } },
      schema: {
        tags: ["api key"],
        operationId: "revokeApiKey",
        summary: "Revoke one of your API keys",
        querystring: FirstEightQuery,
        response: { 204: {}, ...refusals(401, 404, 422) },
      },
    },
    async (request, reply) => {
      const { principal } = knownOf(request);
      if (
        !(await services.apiKeys.revoke(
          principal.uuid,
          request.query.first_eight,
          services.contextOf(request),
        ))
      ) {
        throw new Failure("not_found", {
          detail: `The currently-authenticated ${principal.type} has no such API key.`,
        });
      }
      return noContent(reply);
    },
  );
}

export function apiKeyRequest(body: Static<typeof ApiKeyBody>): ApiKeyRequest {
  return {
    expiresIn: body.expires_in,
    scopes: body.scopes,
    note: body.note ?? null,
    accessTags: body.access_tags ?? null,
  };
}
