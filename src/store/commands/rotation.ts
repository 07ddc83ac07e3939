/**
 * Rotation of refresh tokens (RFC 9700, section 4.14.2) as a pure decision: what is known of a session, what was
 * presented, and what follows. `sessions.ts` carries it out.
 */
export interface KnownRotation {
  readonly generation: number;
  /** The id of the token that was exchanged for this generation. */
  readonly exchanged: string;
  readonly rotatedAt: Date | null;
  /** A token of the session has come again before: several programs share the login. */
  readonly shared: boolean;
}

export interface PresentedToken {
  /** Null: issued by the real Tiled, which counts as generation 0. */
  readonly generation: number | null;
  readonly tokenId: string;
  readonly now: Date;
}

export interface RotationRules {
  readonly rotate: boolean;
  /** So many seconds after its exchange a token that comes again is a retry. */
  readonly grace: number;
}

/**
 * `rotate`: the next generation begins, at this moment. `retry`: the answer to an exchange was lost, or several programs
 * share the token; the same answer is given again. `stay`: the presented token stays the newest one. `keep`: without
 * rotation every genuine token is good. `reuse`: an old token was used a second time.
 *
 * Of programs that share a token file, one finds the next token there while others are still on their way with the one
 * before. Theirs would be two generations old if the next one were exchanged at once, so it stays for the grace period.
 */
export type RotationDecision =
  | { readonly kind: "rotate" | "retry"; readonly generation: number; readonly rotatedAt: Date }
  | { readonly kind: "keep" | "stay"; readonly generation: number }
  | { readonly kind: "reuse" };

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
      : // A clock that was set back makes no exchange younger.
        Math.abs(now.getTime() - known.rotatedAt.getTime());
  const stays = known?.shared === true && age <= grace * 1000;
  if (generation === newest && stays) return { kind: "stay", generation };
  if (generation === newest) return { kind: "rotate", generation: newest + 1, rotatedAt: now };
  if (generation !== newest - 1 || tokenId !== known?.exchanged) return { kind: "reuse" };
  const { rotatedAt } = known;
  if (rotatedAt === null || age > grace * 1000) return { kind: "reuse" };
  return { kind: "retry", generation: newest, rotatedAt };
}
