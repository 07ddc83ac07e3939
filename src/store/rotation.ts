/**
 * Rotation of refresh tokens (RFC 9700, section 4.14.2) as a pure decision: what is known of a session, what was
 * presented, and what follows. `sessions.ts` carries it out.
 */
export interface KnownRotation {
  readonly generation: number;
  /** The id of the token that was exchanged for this generation. */
  readonly exchanged: string;
}

export interface PresentedToken {
  /** Null: issued by the real Tiled, which counts as generation 0. */
  readonly generation: number | null;
  readonly tokenId: string;
}

/**
 * `exchange`: the next generation begins. `retry`: the answer to an exchange was lost, it is given again. `keep`: without
 * rotation every genuine token is good. `reuse`: an old token was used a second time.
 */
export type RotationDecision =
  | { readonly kind: "exchange" | "retry" | "keep"; readonly generation: number }
  | { readonly kind: "reuse" };

export function decideRotation(
  known: KnownRotation | undefined,
  presented: PresentedToken,
  rotate: boolean,
): RotationDecision {
  const newest = known?.generation ?? 0;
  if (!rotate) return { kind: "keep", generation: newest };
  const generation = presented.generation ?? 0;
  if (generation === newest) return { kind: "exchange", generation: newest + 1 };
  if (generation === newest - 1 && presented.tokenId === known?.exchanged) {
    return { kind: "retry", generation: newest };
  }
  return { kind: "reuse" };
}
