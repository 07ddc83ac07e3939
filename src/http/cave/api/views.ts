/** From the domain's people and rights to what CAVE's clients read: the user object of every check, persons, and tokens. */

import type { CaveRights } from "../../../domain/cave/rules.ts";
import { tokenIdOf } from "../../../domain/cave/tokens.ts";
import type { CavePerson, CaveToken } from "../../../domain/model/cave.ts";

type Permissions = CaveRights["permissions"];

/** What services decide by; `pi` and `affiliations` are not kept here. */
export function userView(person: CavePerson, rights: CaveRights) {
  return {
    id: person.id,
    parent_id: null,
    service_account: isService(person),
    name: person.name,
    email: person.email,
    admin: rights.superadmin,
    pi: "",
    affiliations: [],
    groups: rights.groups,
    permissions: byDataset(rights.permissions, levelOf),
    permissions_v2: byDataset(rights.permissions, (names) => names),
    permissions_v2_ignore_tos: byDataset(rights.permissionsIgnoringTos, (names) => names),
    missing_tos: rights.missingTos.flatMap(({ id, name, tos }) =>
      tos === null ? [] : [{ dataset_id: id, dataset_name: name, tos_id: tos.id, tos_name: tos.name }],
    ),
    datasets_admin: rights.adminOfDatasets.map(({ name }) => name),
    groups_admin: rights.adminOfGroups.map(({ name }) => name),
  };
}

/** `rights`: the person's, for callers who may see all fields. */
export function personView(person: CavePerson, rights: CaveRights | null) {
  return {
    id: person.id,
    service_account: isService(person),
    name: person.name,
    created: timeView(person.created),
    pi: "",
    affiliations: [],
    ...(rights !== null && {
      email: person.email,
      admin: rights.superadmin,
      admin_datasets: rights.adminOfDatasets.map(({ id, name }) => ({ id, name })),
      gdpr_consent: false,
    }),
  };
}

/** Pasted by mistake, the masked token is refused by name, whereas a client would take `null` for no token and use its file. */
export function tokenView(owner: CavePerson, token: CaveToken) {
  return {
    id: tokenIdOf(token),
    user_id: owner.id,
    token: token.firstEight.padEnd(32, "*"),
    description: token.description,
    created: timeView(token.created),
    updated: timeView(token.updated ?? token.created),
    last_used: token.lastUsed && timeView(token.lastUsed),
  };
}

export function isService({ type }: CavePerson): boolean {
  return type === "service";
}

const LEVELS: ReadonlyMap<string, number> = new Map([
  ["view", 1],
  ["edit", 2],
]);

function levelOf(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => LEVELS.get(name) ?? 0));
}

function byDataset<View>(permissions: Permissions, view: (names: readonly string[]) => View) {
  return Object.fromEntries([...permissions].map(([dataset, names]) => [dataset, view(names)]));
}

/** As Flask writes times, which is the format of HTTP (RFC 9110, section 5.6.7). */
function timeView(time: Date): string {
  return time.toUTCString();
}
