import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../proto/faults/fault.ts';
import { detailsOf as issueDetails } from '../../proto/faults/issues.ts';
import { readAuthorization } from '../../proto/trust/authorization.ts';
import { csrfTokenOf } from '../access/access.ts';
import type { Actor } from '../access/actor.ts';
import { rightsOf } from '../access/roles.ts';
import { findUserWithCounts, groupsOfUser, type UserListRow } from '../access/users.store.ts';
import { writeAudit } from '../management/audit/audit.store.ts';
import type { Desk } from '../management/desk.ts';
import { present } from '../management/fields.ts';
import { spendCode } from '../management/second-factor/second-factor.ts';
import { userView } from '../management/users/user-shape.ts';
import { incomingOf } from './front.ts';
import { readJsonBody } from './json-body.ts';
import {
  authenticateRequest,
  csrfCookieName,
  type Entrance,
  noStranger,
  organizationOf,
  sessionCookieOf,
  sessionOf,
} from './sign-in.ts';

/** What these are made with. */
export interface SessionDoor extends Entrance {
  readonly desk: Desk;
  readonly bodyMsMax: number;
}

/** How a door is told of a path. */
export type Register = (
  method: string,
  path: string,
  handle: (context: Context) => Promise<Response>,
) => void;

const base = '/management/organizations/{orgId}/user';

/** Login, logout and "who am I": what has to do with cookies, and so belongs to the door. */
export function registerSessions(register: Register, door: SessionDoor): void {
  register('post', `${base}/login`, (context) => login(context, door));
  register('post', `${base}/logout`, (context) => logout(context, door));
  register('get', base, (context) => me(context, door));
}

/** Body of a login, which may be left out. */
export const loginSchema = z.strictObject({ code: z.string().min(1).max(64).optional() });

async function login(context: Context, door: SessionDoor): Promise<Response> {
  const { desk, front, bodyMsMax } = door;
  const organization = await organizationOf(desk, {
    orgId: context.req.param('orgId'),
    envId: undefined,
  });
  const incoming = incomingOf(context);
  const body = await readJsonBody(context.req.raw, { incoming, msMax: bodyMsMax, clock: desk.clock });
  const read = loginSchema.safeParse(body ?? {});
  if (!read.success) throw new Fault('request.invalid', { details: issueDetails(read.error.issues, '') });
  const signIn = await authenticateRequest(door, context, organization);
  if (signIn.kind === 'half' && (signIn.wants === 'enrolment' || read.data.code !== undefined)) {
    const { actor, passwordHash, wants: beside } = signIn;
    // Of the password nothing is asked again: `openSession` sees that it is still the same.
    if (beside === 'code')
      await spendCode(desk, fromConsole(actor, front.sourceOf(context)), read.data.code ?? '');
    const token = await giveSession(context, door, { actor, passwordHash, beside });
    return context.json({ token_type: 'BEARER', token, ...(beside === 'enrolment' && { mustEnrol: true }) });
  }
  const { actor, via, passwordHash } = noStranger(signIn);
  if (via !== 'basic') throw new Fault('request.unauthorized', { hint: 'Log in with basic authentication.' });
  const token = await giveSession(context, door, { actor, passwordHash });
  return context.json({ token_type: 'BEARER', token });
}

const fromConsole = (actor: Actor, address: string): Actor => ({
  ...actor,
  from: { address, origin: 'console' },
});

/** Opens a session for who has just signed in, and gives the browser its cookies; says its token. Errors: those of `Access.openSession`. */
export async function giveSession(
  context: Context,
  { desk, front }: SessionDoor,
  {
    actor,
    passwordHash,
    beside,
    properties,
  }: {
    readonly actor: Actor;
    readonly beside?: 'code' | 'enrolment';
    /** Empty for who comes by an identity provider. */
    readonly passwordHash: string | undefined;
    /** For the audit. */
    readonly properties?: Readonly<Record<string, string>>;
  },
): Promise<string> {
  const session = await desk.access.openSession(actor, {
    source: front.sourceOf(context),
    userAgent: context.req.header('user-agent'),
    passwordHash,
    beside,
  });
  await desk.storage.transaction((trx) =>
    writeAudit(trx, {
      organization: actor.organization,
      actor: fromConsole(actor, front.sourceOf(context)),
      event: 'USER_CONNECTED',
      type: 'ORGANIZATION',
      id: actor.organization,
      properties: { USER: actor.id, ...properties },
      nowMs: desk.clock.now(),
    }),
  );
  const cookie = {
    path: '/',
    sameSite: 'Strict',
    secure: front.isSecure(context),
    maxAge: Math.floor((session.expiresAtMs - desk.clock.now()) / 1_000),
  } as const;
  const csrf = csrfTokenOf(session.token);
  setCookie(context, sessionCookieOf(front, context), session.token, { ...cookie, httpOnly: true });
  setCookie(context, csrfCookieName, csrf, cookie);
  context.header('X-Xsrf-Token', csrf);
  return session.token;
}

async function logout(context: Context, { desk, front }: SessionDoor): Promise<Response> {
  const cookie = sessionOf(front, context);
  if (cookie !== undefined) front.demandOwnPage(context);
  const session = cookie ?? bearerOf(context);
  if (session !== undefined) await desk.access.closeSession(session);
  const gone = { path: '/', secure: front.isSecure(context) };
  deleteCookie(context, sessionCookieOf(front, context), gone);
  deleteCookie(context, csrfCookieName, gone);
  return context.body(null, 200);
}

async function me(context: Context, door: SessionDoor): Promise<Response> {
  const organization = await organizationOf(door.desk, {
    orgId: context.req.param('orgId'),
    envId: undefined,
  });
  const { actor, via } = noStranger(await authenticateRequest(door, context, organization));
  if (actor.organization !== organization)
    throw new Fault('request.not_found', { detail: 'There is no such organization.' });
  const session = via === 'cookie' ? sessionOf(door.front, context) : undefined;
  if (session !== undefined) context.header('X-Xsrf-Token', csrfTokenOf(session));
  return context.json(await detailsOf(door.desk, actor));
}

function bearerOf(context: Context): string | undefined {
  const said = readAuthorization(context.req.header('authorization'));
  return said?.scheme === 'bearer' ? said.credentials : undefined;
}

/** Who came in, with the names of the groups by environment. */
async function detailsOf({ storage: { db } }: Desk, actor: Actor) {
  const ref = { organization: actor.organization, userId: actor.id };
  const row = await findUserWithCounts(db, ref);
  const groupsByEnvironment = new Map<string, Set<string>>();
  for (const { environment, name } of await groupsOfUser(db, ref, { limit: groupRowsMax }))
    groupsByEnvironment.set(environment, (groupsByEnvironment.get(environment) ?? new Set()).add(name));
  return {
    id: actor.id,
    organizationId: actor.organization,
    username: actor.username,
    displayName: actor.displayName,
    ...(actor.isEnrolling === true && { mustEnrol: true }),
    ...(row !== undefined && profileOf(row)),
    groupsByEnvironment: Object.fromEntries(
      [...groupsByEnvironment].map(([environment, names]) => [environment, [...names]]),
    ),
    roles: actor.roles.map((role) => ({
      scope: role.scope.toUpperCase(),
      name: role.name,
      reference: role.reference,
      permissions: rightsOf(role),
    })),
  };
}

/** Rows of groups that are read at most: one for each scope of a group. */
const groupRowsMax = 3_000;

function profileOf(row: UserListRow) {
  const { firstname, lastname, email, source, sourceId, primary_owner, loginCount, ...view } = userView(row);
  return present({
    firstname,
    lastname,
    email,
    source,
    sourceId,
    primaryOwner: primary_owner,
    firstLogin: loginCount === 1,
    created_at: view.created_at,
    updated_at: view.updated_at,
    last_connection_at: view.lastConnectionAt,
  });
}
