/**
 * What `oidc-provider` keeps, in memory: its adapter, one per kind of thing. The package's own one warns at each start.
 */
interface Payload {
  readonly uid?: string;
  readonly userCode?: string;
  readonly grantId?: string;
  consumed?: number;
}

interface Entry {
  readonly payload: Payload;
  readonly expires: number;
}

/** A factory of adapters over one memory, for one provider. */
export function memoryAdapters(): (kind: string) => MemoryAdapter {
  const kinds = new Map<string, MemoryAdapter>();
  return (kind) => {
    const known = kinds.get(kind) ?? new MemoryAdapter();
    kinds.set(kind, known);
    return known;
  };
}

class MemoryAdapter {
  readonly #entries = new Map<string, Entry>();

  async upsert(id: string, payload: Payload, seconds: number | undefined): Promise<void> {
    const expires = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1000;
    this.#entries.set(id, { payload: structuredClone(payload), expires });
  }

  async find(id: string): Promise<Payload | undefined> {
    const entry = this.#entries.get(id);
    return entry !== undefined && entry.expires > Date.now() ? structuredClone(entry.payload) : undefined;
  }

  findByUid(uid: string): Promise<Payload | undefined> {
    return this.#findBy((payload) => payload.uid === uid);
  }

  findByUserCode(userCode: string): Promise<Payload | undefined> {
    return this.#findBy((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.#entries.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, { payload }] of this.#entries) if (payload.grantId === grantId) this.#entries.delete(id);
  }

  async #findBy(matches: (payload: Payload) => boolean): Promise<Payload | undefined> {
    for (const [id, { payload }] of this.#entries) if (matches(payload)) return this.find(id);
    return undefined;
  }
}
