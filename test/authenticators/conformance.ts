/**
 * What every authenticator of `kind: "password"` must do, whatever is behind it. Each one's tests run this.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AuthenticatedIdentity, PasswordAuthenticator } from "../../src/domain/ports/authenticator.ts";

export interface Conformance {
  /** Under test, started. */
  readonly authenticator: () => PasswordAuthenticator;
  readonly users: readonly { readonly name: string; readonly password: string }[];
  /** Any name and password get in (the dummy). */
  readonly letsAnybodyIn?: boolean;
}

/** Names and passwords that a browser or a script may well send. */
const ODD = {
  "prototype members": ["__proto__", "constructor", "toString", "hasOwnProperty"],
  punctuation: [" ", "'; --", '"', "%s", "$(id)", "../../etc/passwd", "a:b", "-rf", "+"],
  "line ends and control characters": ["a\nb", "a\r\nb", "\u001b[2J", "\u007f"],
  Unicode: ["é", "e\u0301", "日本語", "🔑🔑", "\u202eabc", "\ufeff", "\ufffd", "ﬁ", "İ"],
  "unpaired surrogates": ["\ud800", "\udfff", "a\udc00b"],
};

export function passwordConformance(
  name: string,
  { authenticator, users, letsAnybodyIn }: Conformance,
): void {
  const [first] = users;
  assert.ok(first !== undefined);

  /** A refusal with its reason counts as null. */
  async function ask(username: string, password: string): Promise<AuthenticatedIdentity | null> {
    const answer = await authenticator().authenticate(username, password);
    return answer === null || "refused" in answer ? null : answer;
  }

  async function refused(username: string, password: string): Promise<void> {
    const identity = await ask(username, password);
    if (!letsAnybodyIn) assert.equal(identity, null);
    // What is let in must fit into a database.
    if (identity !== null) {
      assert.ok([...identity.id].length <= 255 && !identity.id.includes("\0") && identity.id.isWellFormed());
    }
  }

  describe(`${name}: the contract of a password authenticator`, { concurrency: true }, () => {
    test("its kind and its message", () => {
      assert.equal(authenticator().kind, "password");
      assert.equal(typeof authenticator().confirmationMessage, "string");
    });

    for (const { name: user, password } of users) {
      test(`the right password of ${user}`, async () => {
        const identity = await ask(user, password);
        assert.equal(identity?.id, user);
        assert.ok(!JSON.stringify(identity).includes(password));
      });

      test(`a wrong password of ${user}`, async () => {
        const wrong = [
          `${password}x`,
          `x${password}`,
          password.slice(0, -1),
          password.normalize("NFD"),
          "wrong",
        ];
        const different = wrong.filter((text) => text !== password);
        await Promise.all(different.map((text) => refused(user, text)));
      });
    }

    test("a password is that of its user only", async () => {
      for (const [index, { name: user }] of users.entries()) {
        const other = users[(index + 1) % users.length];
        if (other !== undefined && other.password !== users[index]?.password)
          await refused(user, other.password);
      }
    });

    test("an unknown user", () => refused("nobody-of-this-name", first.password));
    test("an empty name", () => refused("", first.password));
    test("an empty password", () => refused(first.name, ""));
    test("both empty", () => refused("", ""));

    for (const [what, texts] of Object.entries(ODD)) {
      test(`${what} as a name`, async () => {
        await Promise.all(texts.map((text) => refused(text, first.password)));
      });
      test(`${what} as a password`, async () => {
        await Promise.all(texts.map((text) => refused(first.name, text)));
      });
    }

    test("a NUL ends neither a name nor a password", async () => {
      await refused(`${first.name}\0`, first.password);
      await refused(`${first.name}\0x`, first.password);
      await refused(first.name, `${first.password}\0`);
      await refused(first.name, `${first.password}\0x`);
      await refused(first.name, "\0");
      await refused("\0", first.password);
    });

    test("a name or a password of 1 MiB", async () => {
      await refused("x".repeat(1 << 20), first.password);
      await refused(first.name + "x".repeat(1 << 20), first.password);
      await refused(first.name, "x".repeat(1 << 20));
      await refused(first.name, first.password + "x".repeat(1 << 20));
    });

    test("many at once are not mixed up", async () => {
      const attempts = users.flatMap((user) => [
        { ...user, right: true },
        { name: user.name, password: `${user.password}!`, right: false },
      ]);
      const rounds = Array.from({ length: 4 }, () => attempts).flat();
      const answers = await Promise.all(rounds.map((one) => ask(one.name, one.password)));
      for (const [index, { name: user, right }] of rounds.entries()) {
        if (right) assert.equal(answers[index]?.id, user);
        else if (!letsAnybodyIn) assert.equal(answers[index], null);
      }
    });
  });
}
