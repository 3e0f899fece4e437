import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { Fault } from '../../proto/faults/fault.ts';
import type { SignIn } from '../access/access.ts';
import type { Desk } from '../management/desk.ts';
import { organizationOfEnvironment, resolveOrganization } from '../management/tenants/tenants.store.ts';

/** The reference's name, so that its scripts and consoles find their session. */
export const sessionCookieName = 'Auth-Graviteeio-APIM';
/** Readable by pages of ours, and by no other site's. */
export const csrfCookieName = 'XSRF-TOKEN';

/** Too many wrong passwords, or too many at once; the door says when to come again. */
export class ThrottledFault extends Fault {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('request.too_many', { hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s.` });
    this.retryAfterMs = retryAfterMs;
  }
}

/** The session cookie's value. */
export function sessionCookie(request: Request): string | undefined {
  const header = request.headers.get('cookie');
  if (header === null) return undefined;
  for (const pair of header.split(';')) {
    const [name = '', ...value] = pair.trim().split('=');
    // The reference's cookie holds "Bearer <token>"; ours holds the token.
    if (name === sessionCookieName) return value.join('=').replaceAll('"', '');
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

/** Asks access who this is. */
export function authenticateRequest(
  { access }: Pick<Desk, 'access'>,
  context: Context,
  organization: string | undefined,
): Promise<SignIn> {
  return access.authenticate({
    authorization: context.req.header('authorization'),
    cookie: getCookie(context, sessionCookieName),
    source: sourceOf(context),
    organization,
  });
}

/** The actor of a sign-in. Errors: request.unauthorized; request.too_many with the time to wait. */
export function noStranger(signIn: SignIn): Extract<SignIn, { kind: 'actor' }> {
  switch (signIn.kind) {
    case 'actor':
      return signIn;
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

/** The client's address as the socket says; headers of proxies can be forged and do not count. */
function sourceOf(context: Context): string {
  const bindings = context.env as
    | { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } } }
    | undefined;
  return bindings?.incoming?.socket?.remoteAddress ?? 'unknown';
}

function isPlain(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}
