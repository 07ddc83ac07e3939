/** `POST /auth/provider/{provider}/token`: the password grant (RFC 6749, section 4.3), one route per provider. */
import { LoginAnswer, PasswordForm } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { answerJson } from "../answer.ts";
import { noteLogin } from "../logging.ts";
import type { TypedApp } from "../typed-app.ts";
import type { PasswordProvider } from "./providers.ts";
import type { AuthServices } from "./services.ts";

export function passwordRoutes(
  app: TypedApp,
  services: AuthServices,
  providers: readonly PasswordProvider[],
): void {
  for (const { name, authenticator } of providers) {
    app.post(
      `/api/v1/auth/provider/${name}/token`,
      {
        config: { access: "public", counted: true, body: "form" },
        schema: {
          tags: ["login"],
          operationId: "createTokens",
          summary: "Log in with a user name and a password",
          consumes: ["application/x-www-form-urlencoded"],
          body: PasswordForm,
          response: { 200: LoginAnswer, ...refusals(401, 422, 429) },
        },
      },
      async (request, reply) => {
        const { username, password } = request.body;
        const credentials = { username, password };
        const context = services.contextOf(request);
        const answer = await services.login.withPassword(name, authenticator, credentials, context);
        noteLogin(request, answer);
        return answerJson(reply, answer);
      },
    );
  }
}
