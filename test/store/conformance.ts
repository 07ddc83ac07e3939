/**
 * Conformance of every store to `domain/ports/store.ts`, whatever the database. Run for SQLite in a file, SQLite in memory
 * and PostgreSQL by `conformance.test.ts`, each test with a database of its own.
 */
import type { TestContext } from "node:test";
import type { Store } from "../../src/domain/ports/store.ts";
import { accountCases } from "./conformance/account.ts";
import { adminCases } from "./conformance/admins.ts";
import { apiKeyCases } from "./conformance/api-keys.ts";
import { auditCases } from "./conformance/audit.ts";
import { authorityCases } from "./conformance/authority.ts";
import { browserLoginCases } from "./conformance/browser-logins.ts";
import { browserSessionCases } from "./conformance/browser-session.ts";
import type { Case } from "./conformance/case.ts";
import { caveCases } from "./conformance/cave.ts";
import { caveImportCases } from "./conformance/cave-import.ts";
import { deviceCases } from "./conformance/device.ts";
import { failureCases } from "./conformance/failures.ts";
import { groupRoleCases } from "./conformance/group-roles.ts";
import { hostileCases } from "./conformance/hostile.ts";
import { linkingCases } from "./conformance/linking.ts";
import { localAccountCases } from "./conformance/local-accounts.ts";
import { loginStateCases } from "./conformance/login-states.ts";
import { maintenanceCases } from "./conformance/maintenance.ts";
import { principalCases } from "./conformance/principals.ts";
import { profileCases } from "./conformance/profiles.ts";
import { rotationCases } from "./conformance/rotation.ts";
import { sessionCases } from "./conformance/sessions.ts";
import { spellingCases } from "./conformance/spellings.ts";

export const CASES: readonly Case[] = [
  ...principalCases,
  ...adminCases,
  ...sessionCases,
  ...rotationCases,
  ...apiKeyCases,
  ...auditCases,
  ...authorityCases,
  ...maintenanceCases,
  ...failureCases,
  ...hostileCases,
  ...deviceCases,
  ...caveImportCases,
  ...browserLoginCases,
  ...browserSessionCases,
  ...accountCases,
  ...linkingCases,
  ...spellingCases,
  ...loginStateCases,
  ...profileCases,
  ...caveCases,
  ...localAccountCases,
  ...groupRoleCases,
];

/** `fresh` opens a store on a new database, which is removed when the test ends. */
export async function conformance(t: TestContext, fresh: (t: TestContext) => Promise<Store>): Promise<void> {
  for (const [name, run] of CASES) await t.test(name, async (inner) => run(await fresh(inner)));
}
