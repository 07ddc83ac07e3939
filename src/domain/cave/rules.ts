/**
 * What a person may do by CAVE's rules, and the rules in force. Everything is looked up in Maps that are made once, so
 * neither the number of people nor of members counts. The configuration gives the rules; a reload replaces them as a whole.
 */
import type { Uuid } from "../../lib/uuid.ts";
import type { CaveDataset, CaveGroup, CavePerson, CaveSettings, CaveTerms } from "../model/cave.ts";
import type { IdentityRef } from "../model/entities.ts";

/** By the dataset's name; in the order of the configuration, each once. */
type CavePermissions = ReadonlyMap<string, readonly string[]>;

export interface CaveRights {
  /** Implies no permission. */
  readonly superadmin: boolean;
  /** A superadmin, an admin of any group or dataset, or a service. */
  readonly someAdmin: boolean;
  /** Names. */
  readonly groups: readonly string[];
  /** For datasets without terms, or with terms that the person has accepted. */
  readonly permissions: CavePermissions;
  readonly permissionsIgnoringTos: CavePermissions;
  /** Datasets with a permission that waits for the acceptance of their terms. */
  readonly missingTos: readonly CaveDataset[];
  readonly adminOfDatasets: readonly CaveDataset[];
  readonly adminOfGroups: readonly CaveGroup[];
}

/** What the configuration says of one identity. */
interface Named {
  superadmin: boolean;
  readonly groups: Set<CaveGroup>;
  readonly adminOfGroups: Set<CaveGroup>;
  readonly adminOfDatasets: Set<CaveDataset>;
}

export class CaveRules {
  readonly settings: CaveSettings;
  readonly #byIdentity = new Map<string, Map<string, Named>>();
  readonly #byService = new Map<Uuid, Set<CaveGroup>>();
  readonly #forEveryone: readonly CaveGroup[];
  /** Of a group or dataset in the configuration. */
  readonly #position = new Map<CaveGroup | CaveDataset, number>();
  readonly #groups: ReadonlyMap<number, CaveGroup>;
  readonly #terms: ReadonlyMap<number, CaveTerms>;
  readonly #datasets: ReadonlyMap<string, CaveDataset>;
  readonly #tables = new Map<string, Map<string, string>>();
  readonly #origins: ReadonlySet<string>;
  readonly #known = new WeakMap<CavePerson, CaveRights>();

  constructor(settings: CaveSettings) {
    this.settings = settings;
    const { admins, groups, datasets, tos, origins } = settings;
    this.#forEveryone = groups.filter(({ everyone }) => everyone);
    this.#groups = new Map(groups.map((group) => [group.id, group]));
    this.#terms = new Map(tos.map((terms) => [terms.id, terms]));
    this.#datasets = new Map(datasets.map((dataset) => [dataset.name, dataset]));
    this.#origins = new Set(origins);
    for (const identity of admins) this.#named(identity).superadmin = true;
    for (const [index, group] of groups.entries()) {
      this.#position.set(group, index);
      this.#addGroup(group);
    }
    for (const [index, dataset] of datasets.entries()) {
      this.#position.set(dataset, index);
      this.#addDataset(dataset);
    }
  }

  /** The same object for the same person. */
  rightsOf(person: CavePerson): CaveRights {
    let rights = this.#known.get(person);
    if (rights === undefined) {
      rights = this.#rights(person);
      this.#known.set(person, rights);
    }
    return rights;
  }

  /** The name of the dataset that a service's table belongs to. */
  datasetOf(namespace: string, table: string): string | undefined {
    return this.#tables.get(namespace)?.get(table);
  }

  group(id: number): CaveGroup | undefined {
    return this.#groups.get(id);
  }

  terms(id: number): CaveTerms | undefined {
    return this.#terms.get(id);
  }

  /** Whether an origin, as browsers send it, may be handed a token. The server's own is not asked for here. */
  allowsOrigin(origin: string): boolean {
    return this.#origins.has(origin);
  }

  #addGroup(group: CaveGroup): void {
    for (const member of group.members) {
      if ("service" in member) {
        const groups = this.#byService.get(member.service) ?? new Set();
        this.#byService.set(member.service, groups.add(group));
      } else this.#named(member).groups.add(group);
    }
    for (const admin of group.admins) {
      const named = this.#named(admin);
      named.groups.add(group);
      named.adminOfGroups.add(group);
    }
  }

  #addDataset(dataset: CaveDataset): void {
    for (const admin of dataset.admins) this.#named(admin).adminOfDatasets.add(dataset);
    for (const [namespace, names] of dataset.tables) {
      const tables = this.#tables.get(namespace) ?? new Map<string, string>();
      this.#tables.set(namespace, tables);
      for (const name of names) tables.set(name, dataset.name);
    }
  }

  #named({ provider, id }: IdentityRef): Named {
    const atProvider = this.#byIdentity.get(provider) ?? new Map<string, Named>();
    this.#byIdentity.set(provider, atProvider);
    const named = atProvider.get(id) ?? {
      superadmin: false,
      groups: new Set(),
      adminOfGroups: new Set(),
      adminOfDatasets: new Set(),
    };
    atProvider.set(id, named);
    return named;
  }

  #rights(person: CavePerson): CaveRights {
    const service = person.type === "service";
    // A service has no identities, and a person is not named by a UUID.
    const named = service
      ? []
      : person.identities.flatMap(({ provider, id }) => this.#byIdentity.get(provider)?.get(id) ?? []);
    const groups = service
      ? this.#inOrder(this.#byService.get(person.uuid) ?? [])
      : this.#inOrder([...this.#forEveryone, ...named.flatMap((one) => [...one.groups])]);
    const superadmin = named.some((one) => one.superadmin);
    const adminOfGroups = this.#inOrder(named.flatMap((one) => [...one.adminOfGroups]));
    const adminOfDatasets = this.#inOrder(named.flatMap((one) => [...one.adminOfDatasets]));
    return {
      superadmin,
      someAdmin: superadmin || service || adminOfGroups.length > 0 || adminOfDatasets.length > 0,
      groups: groups.map(({ name }) => name),
      ...this.#permissions(groups, service ? "all" : new Set(person.acceptedTos)),
      adminOfDatasets,
      adminOfGroups,
    };
  }

  /** `all`: a service cannot accept terms. The operator who names it decides. */
  #permissions(groups: readonly CaveGroup[], accepted: ReadonlySet<number> | "all") {
    const all = new Map<string, Set<string>>();
    for (const group of groups) {
      for (const [dataset, names] of group.permissions) {
        const found = all.get(dataset) ?? new Set();
        for (const name of names) found.add(name);
        if (found.size > 0) all.set(dataset, found);
      }
    }
    const permissions = new Map<string, readonly string[]>();
    const permissionsIgnoringTos = new Map<string, readonly string[]>();
    const missingTos: CaveDataset[] = [];
    const datasets = [...all.keys()].flatMap((name) => this.#datasets.get(name) ?? []);
    for (const dataset of this.#inOrder(datasets)) {
      const names = [...(all.get(dataset.name) ?? [])];
      permissionsIgnoringTos.set(dataset.name, names);
      if (dataset.tos === null || accepted === "all" || accepted.has(dataset.tos.id))
        permissions.set(dataset.name, names);
      else missingTos.push(dataset);
    }
    return { permissions, permissionsIgnoringTos, missingTos };
  }

  #inOrder<Entry extends CaveGroup | CaveDataset>(entries: Iterable<Entry>): readonly Entry[] {
    const position = (entry: Entry) => this.#position.get(entry) ?? 0;
    return [...new Set(entries)].sort((one, other) => position(one) - position(other));
  }
}

/** Read `current` once per request: a reload may replace it at any time. */
export class CaveRulesInForce {
  #current: CaveRules;

  constructor(settings: CaveSettings) {
    this.#current = new CaveRules(settings);
  }

  get current(): CaveRules {
    return this.#current;
  }

  replace(settings: CaveSettings): void {
    this.#current = new CaveRules(settings);
  }
}
