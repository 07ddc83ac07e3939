/** The export of a middle_auth server: which files are valid, and where the problems of the others are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readExport } from "../../../src/domain/cave/export-file.ts";
import { importedPeople } from "../../../src/domain/cave/import.ts";
import { sha256 } from "../../../src/lib/secrets.ts";

const HASH = sha256(Buffer.from("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "hex"));

const user = (id: number, email: string | null, changes: object = {}) => ({
  id,
  name: `user ${id}`,
  email,
  admin: false,
  parent_id: null,
  read_only: false,
  created: "2023-04-05T06:07:08.123456",
  ...changes,
});
const token = (user_id: number, changes: object = {}) => ({
  user_id,
  first_eight: "0a1b2c3d",
  sha256: HASH,
  description: "",
  created: null,
  last_used: "2024-01-02 03:04:05",
  ...changes,
});

/** The lists that a test does not give are empty. */
const file = (lists: Record<string, unknown> = {}) => ({
  format: "middle_auth/1",
  users: [],
  tokens: [],
  groups: [],
  members: [],
  datasets: [],
  dataset_admins: [],
  permissions: [],
  tables: [],
  tos: [],
  accepted: [],
  apps: [],
  ...lists,
});

function problemsOf(json: unknown, caseSensitive = false): string[] {
  const reading = readExport(json, { caseSensitive });
  return reading.kind === "valid" ? [] : reading.problems.map(({ place, message }) => `${place}: ${message}`);
}

test("people come in the order of their numbers, a service with the terms that its maker has accepted", () => {
  const reading = readExport(
    file({
      users: [user(12, null, { parent_id: 3 }), user(3, "ada@example.org")],
      tokens: [token(12)],
      tos: [{ id: 2, name: "terms", text: "Be kind." }],
      accepted: [{ user_id: 3, tos_id: 2, time: "2023-04-07T00:00:00Z" }],
    }),
    { caseSensitive: false },
  );
  assert.equal(reading.kind, "valid");
  if (reading.kind !== "valid") return;
  const accepted = [{ tos: 2, time: new Date("2023-04-07T00:00:00Z") }];
  const created = new Date("2023-04-05T06:07:08.123Z");
  assert.deepEqual(importedPeople(reading.file), [
    { id: 3, type: "user", name: "user 3", email: "ada@example.org", created, tokens: [], accepted },
    {
      id: 12,
      type: "service",
      name: "user 12",
      email: null,
      created,
      tokens: [
        {
          firstEight: "0a1b2c3d",
          digest: HASH,
          description: null,
          created: null,
          lastUsed: new Date("2024-01-02T03:04:05Z"),
        },
      ],
      accepted,
    },
  ]);
});

test("the form of each element is checked, and no value is shown", () => {
  const secret = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
  const problems = problemsOf(
    file({
      users: [
        user(0, "ada@example.org"),
        user(2_000_000_001, "no address"),
        user(3, "a@b", { name: "", admin: "yes", created: "yesterday" }),
        user(4, "x@y", { key: secret }),
        7,
      ],
      tokens: [token(3, { sha256: secret, first_eight: "0A1B2C3D" }), token(3, { sha256: null })],
      groups: { id: 1 },
      apps: undefined,
      keys: [secret],
    }),
  );
  assert.deepEqual(problems, [
    "keys: is not a list of an export",
    "users[0].id: must be a whole number from 1 to 2000000000",
    "users[1].id: must be a whole number from 1 to 2000000000",
    "users[1].email: must be an e-mail address",
    "users[2].name: must be a text of 1 to 255 characters, without control characters",
    "users[2].admin: must be true or false",
    "users[2].created: must be a time like 2024-01-31T12:00:00 (UTC)",
    "users[3].key: is not a known field",
    "users[4]: must be an object",
    "tokens[0].first_eight: must be the start of the token: 8 lower-case hexadecimal digits",
    "tokens[0].sha256: must be the hash of a token, which has 32 hexadecimal digits: 64 lower-case hexadecimal digits",
    "tokens[1].sha256: must be the hash of a token, which has 32 hexadecimal digits: 64 lower-case hexadecimal digits",
    "groups: must be a list",
    "apps: is missing",
  ]);
  assert.ok(!problems.join().includes(secret));
  for (const other of [null, 7, [], "x"])
    assert.match(problemsOf(other)[0] ?? "", /^: must be a JSON object/);
  assert.deepEqual(problemsOf({ ...file(), format: "2" }), ['format: must be "middle_auth/1"']);
  const { format: _, users: __, ...rest } = file();
  assert.deepEqual(problemsOf(rest), ['format: must be "middle_auth/1"', "users: is missing"]);
});

test("duplicates are refused", () => {
  const group = { id: 1, name: "g" };
  const problems = problemsOf(
    file({
      users: [
        user(3, "ada@example.org"),
        user(3, "bob@example.org"),
        user(5, "ada@example.org"),
        user(6, "ADA@example.org"),
      ],
      tokens: [token(3), token(5), token(3, { sha256: "0".repeat(64) })],
      groups: [group, { id: 1, name: "h" }, { id: 2, name: "g" }],
      members: [
        { user_id: 3, group_id: 1, admin: false },
        { user_id: 3, group_id: 1, admin: true },
      ],
      datasets: [
        { id: 1, name: "d", tos_id: null },
        { id: 2, name: "d", tos_id: null },
      ],
      tables: [
        { service: "datastack", table: "t", dataset_id: 1 },
        { service: "datastack", table: "t", dataset_id: 2 },
      ],
    }),
  );
  assert.deepEqual(problems, [
    "users[1].id: is the same as that of users[0]",
    "users[2].email: is the same as that of users[0]",
    "tokens[1].sha256: is the same as that of tokens[0]",
    "tokens[2].first_eight: is the same as that of tokens[0]",
    "groups[1].id: is the same as that of groups[0]",
    "groups[2].name: is the same as that of groups[0]",
    "datasets[1].name: is the same as that of datasets[0]",
    "members[1]: repeats members[0]",
    "tables[1]: repeats tables[0]",
  ]);
  const spellings = file({ users: [user(3, "ada@example.org"), user(6, "ADA@example.org")] });
  assert.deepEqual(problemsOf(spellings, true), []);
  assert.deepEqual(problemsOf(spellings), [
    "users[1].email: differs only in case, or in the form of its letters, from that of users[0]",
  ]);
});

test("references to unknown numbers are refused", () => {
  const problems = problemsOf(
    file({
      users: [
        user(3, "ada@example.org"),
        user(4, null),
        user(5, null, { parent_id: 9 }),
        user(6, null, { parent_id: 6 }),
      ],
      tokens: [token(8)],
      groups: [{ id: 1, name: "g" }],
      datasets: [{ id: 1, name: "d", tos_id: 4 }],
      members: [{ user_id: 3, group_id: 2, admin: false }],
      dataset_admins: [{ user_id: 8, dataset_id: 2 }],
      permissions: [{ group_id: 2, dataset_id: 3, permission_id: 1, permission: "view" }],
      tables: [{ service: "datastack", table: "t", dataset_id: 7 }],
      accepted: [{ user_id: 8, tos_id: 4, time: null }],
    }),
  );
  assert.deepEqual(problems, [
    "users[2].parent_id: names the user 9, which is not in the file",
    "tokens[0].user_id: names the user 8, which is not in the file",
    "members[0].group_id: names the group 2, which is not in the file",
    "datasets[0].tos_id: names the terms of service 4, which is not in the file",
    "dataset_admins[0].user_id: names the user 8, which is not in the file",
    "dataset_admins[0].dataset_id: names the dataset 2, which is not in the file",
    "permissions[0].group_id: names the group 2, which is not in the file",
    "permissions[0].dataset_id: names the dataset 3, which is not in the file",
    "tables[0].dataset_id: names the dataset 7, which is not in the file",
    "accepted[0].user_id: names the user 8, which is not in the file",
    "accepted[0].tos_id: names the terms of service 4, which is not in the file",
    "users[1].email: is missing: this is a person",
    "users[3].parent_id: is the account itself",
  ]);
});
