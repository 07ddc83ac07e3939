/**
 * The configuration that most tests with a real server use: three people with passwords, the first an administrator,
 * and the minimal tree. It loads in the real Tiled and in ours.
 */
export const PASSWORDS = { alice: "secret1", bob: "secret2", cara: "secret3" } as const;

export const SECRET_KEY = "bars-secret-key";

export const TREE = "tiled.examples.generated_minimal:tree";

interface Changes {
  readonly authentication?: object;
  readonly [section: string]: unknown;
}

/** `authentication` is merged, other sections are added. */
export function toy({ authentication, ...sections }: Changes = {}): object {
  return {
    authentication: {
      providers: [
        {
          provider: "toy",
          authenticator: "tiled.authenticators:DictionaryAuthenticator",
          args: { users_to_passwords: PASSWORDS },
        },
      ],
      tiled_admins: [{ provider: "toy", id: "alice" }],
      secret_keys: [SECRET_KEY],
      ...authentication,
    },
    trees: [{ path: "/", tree: TREE }],
    ...sections,
  };
}

/** Single user, with a fixed key. */
export function singleUser(sections: object = {}): object {
  return {
    authentication: { single_user_api_key: "secret" },
    trees: [{ path: "/", tree: TREE }],
    ...sections,
  };
}
