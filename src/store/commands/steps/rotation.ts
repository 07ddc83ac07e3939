/**
 * Rotation of refresh tokens (RFC 9700, section 4.14.2) as a pure decision on the session's state and the presented token.
 * `commands/rotate-session.ts` carries it out.
 */
export interface KnownRotation {
  readonly generation: number;
  /** The id of the token that was exchanged for this generation. */
  readonly exchanged: string;
  readonly rotatedAt: Date | null;
  /** Whether a token of the session was ever presented again: several programs share the login. */
  readonly shared: boolean;
}

/** The refresh token of a request. */
export interface PresentedToken {
  /** Null for a token of the real Tiled, which counts as generation 0. */
  readonly generation: number | null;
  readonly tokenId: string;
  readonly now: Date;
}

/** The configured rules. */
export interface RotationRules {
  readonly rotate: boolean;
  /** Seconds after its exchange during which a token that is presented again counts as a retry. */
  readonly grace: number;
}

/**
 * `rotate`: the next generation begins now. `retry`: the answer to an exchange was lost, or several programs share the token;
 * the same answer is given again. `stay`: the presented token stays the newest one. `keep`: without rotation every genuine
 * token is valid. `reuse`: an old token was used a second time.
 *
 * When programs share a token file, one may read the next token while others are still sending the previous one. Exchanging the
 * next token at once would make theirs two generations old, so it stays for the grace period.
 */
export type RotationDecision =
  | { readonly kind: "rotate" | "retry"; readonly generation: number; readonly rotatedAt: Date }
  | { readonly kind: "keep" | "stay"; readonly generation: number }
  | { readonly kind: "reuse" };

/** Decides on a presented token. */
export function decideRotation(
  known: KnownRotation | undefined,
  presented: PresentedToken,
  { rotate, grace }: RotationRules,
): RotationDecision {
  const newest = known?.generation ?? 0;
  if (!rotate) return { kind: "keep", generation: newest };
  const { now, tokenId } = presented;
  const generation = presented.generation ?? 0;
  const age =
    known?.rotatedAt == null
      ? Number.POSITIVE_INFINITY
      : // `abs`, so that setting the clock back does not make an exchange more recent.
        Math.abs(now.getTime() - known.rotatedAt.getTime());
  const stays = known?.shared === true && age <= grace * 1000;
  if (generation === newest && stays) return { kind: "stay", generation };
  if (generation === newest) return { kind: "rotate", generation: newest + 1, rotatedAt: now };
  if (generation !== newest - 1 || tokenId !== known?.exchanged) return { kind: "reuse" };
  const { rotatedAt } = known;
  if (rotatedAt === null || age > grace * 1000) return { kind: "reuse" };
  return { kind: "retry", generation: newest, rotatedAt };
}
