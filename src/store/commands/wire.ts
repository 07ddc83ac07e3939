/**
 * What goes to SQLite's writer and back for each command. Arguments and results of the frequent commands are packed into lists:
 * a structured clone of named fields takes four times as long.
 */
import type { ActorCredential, PrincipalSummary, RequestContext } from "../../domain/model/entities.ts";
import type { RotateOutcome, RotateSession } from "../../domain/ports/sessions.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { CommandArgs, CommandName, CommandResult } from "./commands.ts";

type PackedContext = readonly [
  address: string | null,
  requestId: string | null,
  actor: Uuid | null,
  userAgent: string | null | undefined,
  credential: ActorCredential | undefined,
  operator: string | undefined,
];

type PackedRotation = readonly [
  session: Uuid,
  summarize: boolean,
  generation: number | null,
  tokenId: string,
  rotate: boolean,
  grace: number,
  now: number,
  ...PackedContext,
];

/** Other outcomes are rare and stay as they are. */
type PackedRotated =
  | readonly [
      generation: number,
      rotatedAt: number | null,
      stays: boolean,
      summary: PrincipalSummary | null,
      session: Uuid,
      principal: Uuid,
      expiration: number,
      /** Undefined: empty. */
      state: Readonly<Record<string, unknown>> | undefined,
    ]
  | Exclude<RotateOutcome, { readonly kind: "refreshed" }>;

export function packArgs<N extends CommandName>(name: N, args: CommandArgs<N>): unknown {
  return name === "session.rotate" ? packRotation(args as RotateSession) : args;
}

/** The arguments in a thread that got them packed. */
export function unpackArgs(name: CommandName, packed: unknown): unknown {
  return name === "session.rotate" ? unpackRotation(packed as PackedRotation) : packed;
}

export function packResult(name: CommandName, result: unknown): unknown {
  return name === "session.rotate" ? packRotated(result as RotateOutcome) : result;
}

export function unpackResult<N extends CommandName>(name: N, packed: unknown): CommandResult<N> {
  const result = name === "session.rotate" ? unpackRotated(packed as PackedRotated) : packed;
  return result as CommandResult<N>;
}

function packRotation(args: RotateSession): PackedRotation {
  const { session, summarize, generation, tokenId, rotate, grace, now, context } = args;
  const { address, requestId, actor, userAgent, credential, operator } = context;
  return [
    session,
    summarize,
    generation,
    tokenId,
    rotate,
    grace,
    now.getTime(),
    address,
    requestId,
    actor,
    userAgent,
    credential,
    operator,
  ];
}

function unpackRotation(packed: PackedRotation): RotateSession {
  const [session, summarize, generation, tokenId, rotate, grace, now, ...context] = packed;
  return {
    session,
    summarize,
    generation,
    tokenId,
    rotate,
    grace,
    now: new Date(now),
    context: unpackContext(context),
  };
}

function unpackContext(packed: PackedContext): RequestContext {
  const [address, requestId, actor, userAgent, credential, operator] = packed;
  return {
    address,
    requestId,
    actor,
    ...(userAgent !== undefined && { userAgent }),
    ...(credential !== undefined && { credential }),
    ...(operator !== undefined && { operator }),
  };
}

function packRotated(outcome: RotateOutcome): PackedRotated {
  if (outcome.kind !== "refreshed") return outcome;
  const { generation, rotatedAt, stays, principal, session } = outcome;
  return [
    generation,
    rotatedAt?.getTime() ?? null,
    stays,
    principal,
    session.uuid,
    session.principal,
    session.expirationTime.getTime(),
    Object.keys(session.state).length === 0 ? undefined : session.state,
  ];
}

function unpackRotated(packed: PackedRotated): RotateOutcome {
  if (!isList(packed)) return packed;
  const [generation, rotatedAt, stays, summary, session, principal, expiration, state = {}] = packed;
  return {
    kind: "refreshed",
    generation,
    rotatedAt: rotatedAt === null ? null : new Date(rotatedAt),
    stays,
    principal: summary,
    session: {
      uuid: session,
      principal,
      expirationTime: new Date(expiration),
      revoked: false,
      state,
    },
  };
}

/** `Array.isArray` does not narrow a readonly list. */
function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value);
}
