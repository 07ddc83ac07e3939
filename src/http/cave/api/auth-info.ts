/** `GET /auth_info`: where Neuroglancer sends people to log in, asked of every host that has data. For pages of any origin. */
import { AuthInfo } from "../../../schemas/cave.ts";
import type { TypedApp } from "../../typed-app.ts";
import { AUTH_INFO } from "../paths.ts";
import type { CaveLinks } from "../server-address.ts";
import { sendJson } from "./answer.ts";

export function authInfoRoute(app: TypedApp, links: CaveLinks): void {
  app.get(
    AUTH_INFO,
    {
      config: { access: "public", shared: true },
      schema: {
        tags: ["cave"],
        operationId: "getCaveAuthInfo",
        summary: "Where viewers log people in",
        response: { 200: AuthInfo },
      },
    },
    async (_request, reply) => sendJson(reply, { login_url: links.sticky }),
  );
}
