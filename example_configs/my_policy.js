// An access policy of your own: people named in an entry's metadata ("team": ["ann", "bob"]) may read it and everything
// below it. In the configuration:
//
//   access_control:
//     access_policy: ./my_policy.js:MyPolicy
//     args: {provider: toy}
//
// The contract is explained in docs/how-to/access-control.md.

export class MyPolicy {
  // The JSON Schema of the arguments; a misspelt one stops the start.
  static args = {
    type: "object",
    properties: { provider: { type: "string" } },
    required: ["provider"],
    additionalProperties: false,
  };

  kind = "access_policy";

  constructor(args) {
    this.provider = args.provider;
    this.teams = new Map();
  }

  // What the caller may do with a node. Called for every node of a path, from the root down.
  scopesOn({ path, metadata }, caller) {
    if (path.length === 0) return ["read:metadata"];
    if (path.length === 1) this.teams.set(path[0], Array.isArray(metadata.team) ? metadata.team : []);
    const team = this.teams.get(path[0]) ?? [];
    const names = caller.identities.filter(({ provider }) => provider === this.provider).map(({ id }) => id);
    return names.some((name) => team.includes(name)) ? ["read:metadata", "read:data"] : [];
  }
}
