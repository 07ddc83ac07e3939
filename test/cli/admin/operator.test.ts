import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { test } from "node:test";
import { operatorName } from "../../../src/cli/admin/operator.ts";

test("the operator is the machine's user, or its number if it has no name", () => {
  const nameless = () => {
    throw new Error("A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)");
  };
  assert.equal(operatorName(), userInfo().username);
  assert.equal(operatorName(nameless, 1234), "1234");
  assert.equal(operatorName(nameless, null), "unknown");
});
