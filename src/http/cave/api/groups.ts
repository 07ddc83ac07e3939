/** Members of a group: people who have logged in. The domain limits how many a group for everyone may list. */
import type { CaveGroup, CavePerson } from "../../../domain/model/cave.ts";
import type { IdentityRef } from "../../../domain/model/entities.ts";
import { Failure } from "../../../errors.ts";
import { CaveErrorAnswer, GroupMembers } from "../../../schemas/cave.ts";
import type { TypedApp } from "../../typed-app.ts";
import { sendJson } from "./answer.ts";
import { type CaveApiDeps, described, forTokens } from "./deps.ts";
import { readNumber } from "./numbers.ts";
import { isService } from "./views.ts";

export function groupRoutes(app: TypedApp, prefix: string, { gates, rules, people }: CaveApiDeps): void {
  app.get(
    `${prefix}/group/:id/user`,
    {
      config: forTokens(gates.admin),
      schema: described(prefix, {
        operationId: "listCaveGroupMembers",
        summary: "People in a group who have logged in",
        response: {
          200: GroupMembers,
          400: CaveErrorAnswer,
          401: CaveErrorAnswer,
          403: CaveErrorAnswer,
          404: CaveErrorAnswer,
          503: CaveErrorAnswer,
        },
      }),
    },
    async (request, reply) => {
      const text = (request.params as { readonly id: string }).id;
      if (!/^\d+$/.test(text)) throw new Failure("not_found", { detail: "A group's id is a number." });
      const id = readNumber(text);
      const group = id === undefined ? undefined : rules.current.group(id);
      return sendJson(reply, group === undefined ? [] : membersView(group, await people.members(group)));
    },
  );
}

function membersView(group: CaveGroup, members: readonly CavePerson[]) {
  const admins = new Set(group.admins.map(nameOf));
  return members
    .filter((person) => !isService(person))
    .map(({ id, name, identities }) => ({
      id,
      name,
      admin: identities.some((identity) => admins.has(nameOf(identity))),
    }));
}

function nameOf({ provider, id }: IdentityRef): string {
  return JSON.stringify([provider, id]);
}
