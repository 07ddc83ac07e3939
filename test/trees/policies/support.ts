/** Files of tag definitions and callers of every kind, for tests of policies. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ANONYMOUS_SCOPES, SINGLE_USER_SCOPES, USER_ROLE } from "../../../src/domain/model/scopes.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import type { PolicyCaller } from "../../../src/trees/policies/contract.ts";

/** A folder with one file in it, for as long as the test runs. */
export function temporaryFile(
  cleanup: (last: () => void) => void,
  text: string,
  name = "tags.yml",
): { readonly folder: string; readonly path: string; write(text: string): void } {
  const folder = mkdtempSync(join(tmpdir(), "tiled-tags-"));
  cleanup(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  const write = (content: string) => writeFileSync(path, content);
  write(text);
  return { folder, path, write };
}

/** The example of the documentation. */
export const DEFINITIONS = `
roles: {facility_user: {scopes: ["read:data", "read:metadata"]}}
tags:
  data_A: {groups: [{name: group_A, role: facility_user}], auto_tags: [{name: data_admin}]}
  data_B: {users: [{name: alice, scopes: ["read:data", "read:metadata"]}]}
  data_C: {users: [{name: bob, scopes: ["read:metadata"]}]}
  data_D: {auto_tags: [{name: public}]}
  data_E: {auto_tags: [{name: data_D}], users: [{name: bob, scopes: ["write:data"]}]}
  data_admin: {users: [{name: cara, role: facility_user}]}
tag_owners: {data_admin: {users: [{name: cara}]}}
`;

export const USER_SCOPES: ReadonlySet<string> = new Set(USER_ROLE.scopes);

type Changes = Partial<PolicyCaller>;

export function user(id: string, changes: Changes = {}): PolicyCaller {
  return {
    kind: "user",
    uuid: newUuid(),
    identities: [{ provider: "toy", id }],
    scopes: USER_SCOPES,
    accessTags: null,
    state: {},
    ...changes,
  };
}

export function service(uuid: Uuid, changes: Changes = {}): PolicyCaller {
  return { ...user("", changes), kind: "service", uuid, identities: [] };
}

export function admin(id = "root", changes: Changes = {}): PolicyCaller {
  return user(id, { scopes: new Set([...USER_SCOPES, "admin:apikeys"]), ...changes });
}

export const ANONYMOUS: PolicyCaller = {
  kind: "anonymous",
  uuid: null,
  identities: [],
  scopes: ANONYMOUS_SCOPES,
  accessTags: null,
  state: {},
};

export const SINGLE_USER: PolicyCaller = { ...ANONYMOUS, kind: "single_user", scopes: SINGLE_USER_SCOPES };
