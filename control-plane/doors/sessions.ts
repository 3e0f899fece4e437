import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { Fault } from '../../proto/faults/fault.ts';
import { csrfTokenOf } from '../access/access.ts';
import type { Actor } from '../access/actor.ts';
import { rightsOf } from '../access/roles.ts';
import { writeAudit } from '../management/audit/audit.store.ts';
import type { Desk } from '../management/desk.ts';
import {
  authenticateRequest,
  csrfCookieName,
  noStranger,
  organizationOf,
  sessionCookie,
  sessionCookieName,
} from './sign-in.ts';

type Register = (method: string, path: string, handle: (context: Context) => Promise<Response>) => void;

const base = '/management/organizations/{orgId}/user';

/** Login, logout and "who am I": what has to do with cookies, and so belongs to the door. */
export function registerSessions(register: Register, desk: Desk): void {
  register('post', `${base}/login`, (context) => login(context, desk));
  register('post', `${base}/logout`, (context) => logout(context, desk));
  register('get', base, (context) => me(context, desk));
}

async function login(context: Context, desk: Desk): Promise<Response> {
  const organization = await organizationOf(desk, {
    orgId: context.req.param('orgId'),
    envId: undefined,
  });
  const signIn = noStranger(await authenticateRequest(desk, context, organization));
  if (signIn.via !== 'basic')
    throw new Fault('request.unauthorized', { hint: 'Log in with basic authentication.' });
  const { actor } = signIn;
  const session = await desk.access.openSession(actor);
  await writeAudit(desk.storage.db, {
    organization: actor.organization,
    actor,
    event: 'USER_CONNECTED',
    type: 'ORGANIZATION',
    id: actor.organization,
    properties: { USER: actor.id },
    nowMs: desk.clock.now(),
  });
  const isSecure = new URL(context.req.url).protocol === 'https:';
  const cookie = {
    path: '/',
    sameSite: 'Strict',
    secure: isSecure,
    maxAge: Math.floor((session.expiresAtMs - desk.clock.now()) / 1_000),
  } as const;
  const csrf = csrfTokenOf(session.token);
  setCookie(context, sessionCookieName, session.token, { ...cookie, httpOnly: true });
  setCookie(context, csrfCookieName, csrf, cookie);
  context.header('X-Xsrf-Token', csrf);
  return context.json({ token_type: 'BEARER', token: session.token });
}

async function logout(context: Context, desk: Desk): Promise<Response> {
  const session = sessionCookie(context.req.raw) ?? bearerOf(context);
  if (session !== undefined) await desk.access.closeSession(session);
  deleteCookie(context, sessionCookieName, { path: '/' });
  deleteCookie(context, csrfCookieName, { path: '/' });
  return context.body(null, 200);
}

async function me(context: Context, desk: Desk): Promise<Response> {
  const organization = await organizationOf(desk, {
    orgId: context.req.param('orgId'),
    envId: undefined,
  });
  const { actor, via } = noStranger(await authenticateRequest(desk, context, organization));
  if (actor.organization !== organization)
    throw new Fault('request.not_found', { detail: 'There is no such organization.' });
  const session = via === 'cookie' ? sessionCookie(context.req.raw) : undefined;
  if (session !== undefined) context.header('X-Xsrf-Token', csrfTokenOf(session));
  return context.json(userView(actor));
}

function bearerOf(context: Context): string | undefined {
  const match = /^bearer (\S+)$/i.exec(context.req.header('authorization') ?? '');
  return match?.[1];
}

function userView(actor: Actor) {
  return {
    id: actor.id,
    organizationId: actor.organization,
    username: actor.username,
    displayName: actor.displayName,
    roles: actor.roles.map((role) => ({
      scope: role.scope.toUpperCase(),
      name: role.name,
      reference: role.reference,
      permissions: rightsOf(role),
    })),
  };
}
