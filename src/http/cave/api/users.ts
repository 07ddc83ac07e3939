/**
 * People and their permissions. `user/cache` is what every service asks on each of its requests: synchronous while the token is
 * known, and its text is made once for each person and set of rules.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { CaveRules, CaveRulesInForce } from "../../../domain/cave/rules.ts";
import type { CavePerson } from "../../../domain/model/cave.ts";
import { Failure } from "../../../errors.ts";
import { CaveErrorAnswer, CaveUser, NumbersQuery, Person, PersonNames } from "../../../schemas/cave.ts";
import type { TypedApp } from "../../typed-app.ts";
import { caveCallerOf } from "../guard.ts";
import { sendJson, sendText } from "./answer.ts";
import { type CaveApiDeps, described, forTokens } from "./deps.ts";
import { idsOf, readNumber } from "./numbers.ts";
import { isService, personView, userView } from "./views.ts";

const REFUSED = { 401: CaveErrorAnswer, 503: CaveErrorAnswer };
const REFUSED_ADMIN = { ...REFUSED, 403: CaveErrorAnswer };

export function userRoutes(app: TypedApp, prefix: string, deps: CaveApiDeps): void {
  const { gates } = deps;
  const texts = new UserTexts(deps.rules);
  const sendOwn = (request: FastifyRequest, reply: FastifyReply) => {
    sendText(reply, texts.of(caveCallerOf(request).person));
  };
  for (const path of ["user/cache", "my_permissions"]) {
    const schema = described(prefix, {
      operationId: path === "user/cache" ? "getCavePermissions" : "getMyCavePermissions",
      summary: path === "user/cache" ? "What may I do?" : "What may I do? Same as `user/cache`",
      response: { 200: CaveUser, ...REFUSED },
    });
    app.get(`${prefix}/${path}`, { config: forTokens(gates.token), schema }, sendOwn);
  }

  app.get(
    `${prefix}/user/:id/permissions`,
    {
      config: forTokens(gates.admin),
      schema: described(prefix, {
        operationId: "getCavePermissionsOf",
        summary: "What may this person do?",
        response: { 200: CaveUser, ...REFUSED_ADMIN, 404: CaveErrorAnswer },
      }),
    },
    async (request, reply) => {
      const person = await personAt(request, deps);
      return sendJson(reply, userView(person, deps.rules.current.rightsOf(person)));
    },
  );

  addPersons(app, prefix, deps);
}

function addPersons(app: TypedApp, prefix: string, deps: CaveApiDeps): void {
  const { gates, people } = deps;
  app.get(
    `${prefix}/user/me`,
    {
      config: forTokens(gates.token),
      schema: described(prefix, {
        operationId: "showCaveMe",
        summary: "Who am I?",
        response: { 200: Person, ...REFUSED },
      }),
    },
    async (request, reply) => sendJson(reply, viewFor(request, caveCallerOf(request).person, deps)),
  );

  app.get(
    `${prefix}/user/:id`,
    {
      config: forTokens(gates.token),
      schema: described(prefix, {
        operationId: "showCavePerson",
        summary: "Show a person",
        response: { 200: Person, ...REFUSED, 404: CaveErrorAnswer },
      }),
    },
    async (request, reply) => sendJson(reply, viewFor(request, await personAt(request, deps), deps)),
  );

  app.get(
    `${prefix}/user`,
    {
      config: forTokens(gates.admin),
      schema: described(prefix, {
        operationId: "listCavePeople",
        summary: "Show people and services by number: `id=1,2`",
        unvalidatedQuery: NumbersQuery,
        response: { 200: { type: "array", items: Person }, ...REFUSED_ADMIN, 400: CaveErrorAnswer },
      }),
    },
    async (request, reply) => {
      if (!Object.hasOwn(request.query as object, "id")) throw noSearch();
      const found = await people.byNumber(idsOf(request, { strict: false }));
      return sendJson(
        reply,
        found.map((person) => viewFor(request, person, deps)),
      );
    },
  );

  app.get(
    `${prefix}/username`,
    {
      config: forTokens(gates.token),
      schema: described(prefix, {
        operationId: "listCaveNames",
        summary: "Names of people and services by number: `id=1,2`",
        unvalidatedQuery: NumbersQuery,
        response: { 200: PersonNames, ...REFUSED, 400: CaveErrorAnswer },
      }),
    },
    async (request, reply) => {
      const found = await people.byNumber(idsOf(request, { strict: true }));
      return sendJson(
        reply,
        found.map(({ id, name }) => ({ id, name })),
      );
    },
  );
}

/** The person of the path. A service is no person here, as in the reference. */
async function personAt(request: FastifyRequest, { people }: CaveApiDeps): Promise<CavePerson> {
  const id = readNumber((request.params as { readonly id: string }).id);
  const [person] = id === undefined ? [] : await people.byNumber([id]);
  if (person === undefined || isService(person)) throw new Failure("not_found", { detail: "No such user." });
  return person;
}

/** All fields for superadmins, services and the person. */
function viewFor(request: FastifyRequest, person: CavePerson, { rules }: CaveApiDeps) {
  const asking = caveCallerOf(request).person;
  const { current } = rules;
  const seesAll = asking.id === person.id || isService(asking) || current.rightsOf(asking).superadmin;
  return personView(person, seesAll ? current.rightsOf(person) : null);
}

function noSearch(): Failure {
  return new Failure("bad_request", {
    detail: "Ask for people by number, as in id=1,2. There is no search.",
  });
}

class UserTexts {
  readonly #rules: CaveRulesInForce;
  #of: CaveRules;
  #texts = new WeakMap<CavePerson, string>();

  constructor(rules: CaveRulesInForce) {
    this.#rules = rules;
    this.#of = rules.current;
  }

  of(person: CavePerson): string {
    const { current } = this.#rules;
    if (current !== this.#of) {
      this.#of = current;
      this.#texts = new WeakMap();
    }
    const known = this.#texts.get(person);
    if (known !== undefined) return known;
    const text = JSON.stringify(userView(person, current.rightsOf(person)));
    this.#texts.set(person, text);
    return text;
  }
}
