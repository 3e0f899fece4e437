import type { Context } from 'hono';
import { Fault } from '../../proto/faults/fault.ts';
import { readAuthorization } from '../../proto/trust/authorization.ts';
import { type SignIn, ThrottledFault } from '../access/access.ts';
import type { Desk } from '../management/desk.ts';
import type { Front } from './front.ts';
import { organizationOfEnvironment, resolveOrganization } from '../management/tenants/tenants.store.ts';

/** The reference's name, so that its scripts and consoles find their session. */
const sessionCookieName = 'Auth-Graviteeio-APIM';
/** Readable by pages of ours, and by no other site's. */
export const csrfCookieName = 'XSRF-TOKEN';

/** What a door signs in with. */
export interface Entrance {
  readonly desk: Pick<Desk, 'access' | 'storage'>;
  readonly front: Front;
}

/** Over TLS no other site of the domain, and nobody on a plain connection, can plant a cookie of this name (RFC 6265bis, 4.1.3.2). */
export function sessionCookieOf(front: Front, context: Context): string {
  return front.isSecure(context) ? `__Host-${sessionCookieName}` : sessionCookieName;
}

/** The session cookie's value. */
export function sessionOf(front: Front, context: Context): string | undefined {
  const wanted = sessionCookieOf(front, context);
  for (const pair of (context.req.header('cookie') ?? '').split(';')) {
    const [name = '', ...value] = pair.trim().split('=');
    // The reference's cookie holds "Bearer <token>"; ours holds the token.
    if (name === wanted) return value.join('=').replaceAll('"', '');
  }
  return undefined;
}

/** The organization that a path means, by its own part or by its environment's; undefined when there is none. */
export async function organizationOf(
  { storage }: Pick<Desk, 'storage'>,
  { orgId, envId }: { readonly orgId: string | undefined; readonly envId: string | undefined },
): Promise<string | undefined> {
  if (orgId !== undefined && !isPlain(orgId)) return undefined;
  if (orgId !== undefined) return (await resolveOrganization(storage.db, orgId))?.id;
  const owner =
    envId === undefined || !isPlain(envId) ? undefined : await organizationOfEnvironment(storage.db, envId);
  return owner ?? (await resolveOrganization(storage.db, 'DEFAULT'))?.id;
}

/** Asks access who this is. Errors: csrf.cross_site when a browser brings its own credentials for somebody else's page. */
export async function authenticateRequest(
  { desk, front }: Entrance,
  context: Context,
  organization: string | undefined,
): Promise<SignIn> {
  const authorization = context.req.header('authorization');
  const cookie = sessionOf(front, context);
  // A browser adds these by itself; a bearer token only a page that knows it can add.
  const scheme = readAuthorization(authorization)?.scheme;
  const isKept = scheme === 'basic' || (cookie !== undefined && scheme === undefined);
  if (isKept) front.demandOwnPage(context);
  return desk.access.authenticate({ authorization, cookie, source: front.sourceOf(context), organization });
}

/**
 * The actor of a sign-in.
 *
 * Errors: request.unauthorized; request.too_many with the time to wait; signIn.codeRequired and signIn.secondFactorRequired for a password
 * that is right and opens nothing alone.
 */
export function noStranger(signIn: SignIn): Extract<SignIn, { kind: 'actor' }> {
  switch (signIn.kind) {
    case 'actor':
      return signIn;
    case 'half':
      throw new Fault(signIn.wants === 'code' ? 'signIn.codeRequired' : 'signIn.secondFactorRequired');
    case 'throttled':
      throw new ThrottledFault(signIn.retryAfterMs);
    case 'anonymous':
      throw new Fault('request.unauthorized', {
        hint: 'Use basic authentication, a personal token as Bearer, or a session.',
      });
    case 'refused':
      throw new Fault('request.unauthorized', { detail: 'The credentials are not right.' });
  }
}

function isPlain(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}
