/**
 * What goes to SQLite's writer and back for each command. Arguments and results of the frequent commands are packed into lists:
 * a structured clone of named fields takes four times as long.
 */
import type {
  ActorCredential,
  IdentityRef,
  PrincipalSummary,
  RequestContext,
  SessionStatus,
} from "../../domain/model/entities.ts";
import type { Profile } from "../../domain/ports/authenticator.ts";
import type { OpenOutcome, RotateOutcome, RotateSession } from "../../domain/ports/sessions.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { CommandArgs, CommandName, CommandResult } from "../commands/commands.ts";
import type { OpenCommand } from "../commands/sessions.ts";

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

type PackedLogin = readonly [
  provider: string,
  id: string,
  now: number,
  expiration: number,
  state: string,
  profile: Profile | undefined,
  admin: boolean,
  adminByGroup: boolean | undefined,
  caseSensitive: boolean | undefined,
  limit: number,
  ...PackedContext,
];

/** Scopes as JSON; of each identity, its provider and its id. */
type PackedSummary = readonly [
  uuid: Uuid,
  type: PrincipalSummary["type"],
  disabled: boolean,
  scopes: string,
  ...identities: string[],
];

type PackedSession = readonly [
  uuid: Uuid,
  principal: Uuid,
  expiration: number,
  revoked: boolean,
  /** Undefined: empty. */
  state: Readonly<Record<string, unknown>> | undefined,
];

/** Other outcomes are rare and stay as they are. */
type PackedRotated =
  | readonly [
      generation: number,
      rotatedAt: number | null,
      stays: boolean,
      summary: PackedSummary | null,
      ...PackedSession,
    ]
  | Exclude<RotateOutcome, { readonly kind: "refreshed" }>;

type PackedOpened =
  | readonly [summary: PackedSummary, ...PackedSession]
  | Exclude<OpenOutcome, { readonly kind: "opened" }>;

export function packArgs<N extends CommandName>(name: N, args: CommandArgs<N>): unknown {
  if (name === "session.rotate") return packRotation(args as RotateSession);
  return name === "session.open" ? packLogin(args as OpenCommand) : args;
}

/** The arguments in a thread that got them packed. */
export function unpackArgs(name: CommandName, packed: unknown): unknown {
  if (name === "session.rotate") return unpackRotation(packed as PackedRotation);
  return name === "session.open" ? unpackLogin(packed as PackedLogin) : packed;
}

export function packResult(name: CommandName, result: unknown): unknown {
  if (name === "session.rotate") return packRotated(result as RotateOutcome);
  return name === "session.open" ? packOpened(result as OpenOutcome) : result;
}

export function unpackResult<N extends CommandName>(name: N, packed: unknown): CommandResult<N> {
  let result = packed;
  if (name === "session.rotate") result = unpackRotated(packed as PackedRotated);
  else if (name === "session.open") result = unpackOpened(packed as PackedOpened);
  return result as CommandResult<N>;
}

function packContext(context: RequestContext): PackedContext {
  const { address, requestId, actor, userAgent, credential, operator } = context;
  return [address, requestId, actor, userAgent, credential, operator];
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

function packRotation(args: RotateSession): PackedRotation {
  const { session, summarize, generation, tokenId, rotate, grace, now, context } = args;
  return [session, summarize, generation, tokenId, rotate, grace, now.getTime(), ...packContext(context)];
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

function packLogin(args: OpenCommand): PackedLogin {
  const {
    identity,
    now,
    expirationTime,
    state,
    profile,
    admin,
    adminByGroup,
    caseSensitive,
    limit,
    context,
  } = args;
  return [
    identity.provider,
    identity.id,
    now.getTime(),
    expirationTime.getTime(),
    state,
    profile,
    admin,
    adminByGroup,
    caseSensitive,
    limit,
    ...packContext(context),
  ];
}

function unpackLogin(packed: PackedLogin): OpenCommand {
  const [provider, id, now, expiration, state, profile, admin, byGroup, caseSensitive, limit, ...context] =
    packed;
  return {
    identity: { provider, id },
    now: new Date(now),
    expirationTime: new Date(expiration),
    state,
    ...(profile !== undefined && { profile }),
    admin,
    ...(byGroup !== undefined && { adminByGroup: byGroup }),
    ...(caseSensitive !== undefined && { caseSensitive }),
    limit,
    context: unpackContext(context),
  };
}

function packSummary({ uuid, type, disabled, scopes, identities }: PrincipalSummary): PackedSummary {
  return [
    uuid,
    type,
    disabled,
    JSON.stringify(scopes),
    ...identities.flatMap(({ provider, id }) => [provider, id]),
  ];
}

function unpackSummary([uuid, type, disabled, scopes, ...names]: PackedSummary): PrincipalSummary {
  const identities: IdentityRef[] = [];
  for (let index = 0; index < names.length; index += 2) {
    identities.push({ provider: names[index] ?? "", id: names[index + 1] ?? "" });
  }
  return { uuid, type, disabled, identities, scopes: JSON.parse(scopes) as string[] };
}

function packSession({ uuid, principal, expirationTime, revoked, state }: SessionStatus): PackedSession {
  const isEmpty = Object.keys(state).length === 0;
  return [uuid, principal, expirationTime.getTime(), revoked, isEmpty ? undefined : state];
}

function unpackSession([uuid, principal, expiration, revoked, state = {}]: PackedSession): SessionStatus {
  return { uuid, principal, expirationTime: new Date(expiration), revoked, state };
}

function packRotated(outcome: RotateOutcome): PackedRotated {
  if (outcome.kind !== "refreshed") return outcome;
  const { generation, rotatedAt, stays, principal, session } = outcome;
  const summary = principal && packSummary(principal);
  return [generation, rotatedAt?.getTime() ?? null, stays, summary, ...packSession(session)];
}

function unpackRotated(packed: PackedRotated): RotateOutcome {
  if (!isList(packed)) return packed;
  const [generation, rotatedAt, stays, summary, ...session] = packed;
  return {
    kind: "refreshed",
    generation,
    rotatedAt: rotatedAt === null ? null : new Date(rotatedAt),
    stays,
    principal: summary && unpackSummary(summary),
    session: unpackSession(session),
  };
}

function packOpened(outcome: OpenOutcome): PackedOpened {
  if (outcome.kind !== "opened") return outcome;
  return [packSummary(outcome.principal), ...packSession(outcome.session)];
}

function unpackOpened(packed: PackedOpened): OpenOutcome {
  if (!isList(packed)) return packed;
  const [summary, ...session] = packed;
  return { kind: "opened", principal: unpackSummary(summary), session: unpackSession(session) };
}

/** `Array.isArray` does not narrow a readonly list. */
function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value);
}
