import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { Log } from '../../proto/process/log.ts';
import { openText, sealText } from '../../proto/trust/sealed-text.ts';
import type { Oidc } from '../access/identity/oidc.ts';
import type { Desk } from '../management/desk.ts';
import { canSendLinks } from '../management/account/links.ts';
import { areRegistering } from '../management/account/registration.ts';
import {
  arrive,
  openProvider,
  openProviders,
  type OpenProvider,
} from '../management/identity-providers/arrival.ts';
import { configurationOf, redirectUriOf } from '../management/identity-providers/provider-shape.ts';
import { giveSession, type Register, type SessionDoor } from './sessions.ts';
import { organizationOf } from './sign-in.ts';

interface Door extends SessionDoor {
  readonly log: Log;
}

const base = '/management/organizations/{orgId}/auth/oauth2/{identity}';
/** What the browser keeps while somebody is away at the provider. */
const cookieName = 'isthmus-sign-in';
/** How long that may take. */
const awayMs = 600_000;
const backCharsMax = 512;
/** Where a request keeps where somebody wants to go, should it fail. */
const backName = 'back';

/** What is sealed in the cookie. */
const awaySchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  back: z.string(),
  expiresAtMs: z.number(),
});

/** Sign-in by identity providers: who there is, the way there, and the way back. */
export function registerFederation(register: Register, door: Door): void {
  register('get', '/management/organizations/{orgId}/console', (context) => waysIn(context, door));
  register('get', '/management/organizations/{orgId}/social-identities', (context) => list(context, door));
  register(
    'get',
    `${base}/_start`,
    (context) =>
      // Otherwise a page of somebody else could begin it, and its end would be a session that nobody asked for.
      (door.front.demandOwnPage(context), leading(context, door, start)),
  );
  register('get', `${base}/_callback`, (context) => leading(context, door, callback));
}

/** What a console has to know before anybody has signed in. Errors: request.not_found. */
async function waysIn(context: Context, { desk }: Door): Promise<Response> {
  const organization = await demandOrganization(context, desk);
  const { allowsPasswords: enabled } = desk.access;
  const passwordReset = { enabled: enabled && canSendLinks(desk) };
  const userCreation = { enabled: await areRegistering(desk, organization) };
  return context.json({
    authentication: { localLogin: { enabled }, passwordReset },
    management: { userCreation },
  });
}

/** Errors: request.not_found. */
async function demandOrganization(context: Context, desk: Desk): Promise<string> {
  const organization = await organizationOf(desk, { orgId: context.req.param('orgId'), envId: undefined });
  if (organization === undefined)
    throw new Fault('request.not_found', { detail: 'There is no such organization.' });
  return organization;
}

/** The providers of an organization, for whoever is about to sign in. Errors: request.not_found. */
async function list(context: Context, { desk }: Door): Promise<Response> {
  const organization = await demandOrganization(context, desk);
  // What cannot be gone through is not offered.
  const isReady = desk.oidc !== undefined && desk.publicUrl !== undefined;
  const rows = isReady ? await openProviders(desk, organization) : [];
  return context.json(
    rows.map((row) => {
      const { clientId, scopes, color, userLogoutEndpoint } = configurationOf(row);
      return {
        id: row.id,
        name: row.name,
        ...(row.description !== '' && { description: row.description }),
        type: row.type,
        clientId,
        emailRequired: row.email_required === 1,
        syncMappings: row.sync_mappings === 1,
        authorizationEndpoint: redirectUriOf(desk.publicUrl ?? '', row).replace(/_callback$/, '_start'),
        ...(userLogoutEndpoint !== undefined && { userLogoutEndpoint }),
        scopes: scopes ?? [],
        scopeDelimiter: ' ',
        requiredUrlParams: [],
        optionalUrlParams: [],
        ...(color !== undefined && { color }),
      };
    }),
  );
}

/** What somebody who signs in stands before. */
interface Ways {
  readonly desk: Desk;
  readonly oidc: Oidc;
  readonly publicUrl: string;
  readonly provider: OpenProvider;
  readonly redirectUri: string;
  readonly source: string;
}

/** Runs a step of the way; what fails leads back to the sign-in page with a word for it, since a person is on the way and not a program. */
async function leading(
  context: Context,
  door: Door,
  step: (context: Context, door: Door, ways: Ways) => Promise<string>,
): Promise<Response> {
  context.header('Referrer-Policy', 'no-referrer');
  const { desk, front, log } = door;
  const { publicUrl, oidc } = desk;
  const id = context.req.param('identity') ?? '';
  try {
    if (publicUrl === undefined || oidc === undefined)
      throw new Fault('signIn.unavailable', { internal: 'the setting publicUrl is missing' });
    const orgId = context.req.param('orgId');
    const organization = await organizationOf(desk, { orgId, envId: undefined });
    const ref = { organization: organization ?? '', id };
    const provider = await openProvider(desk, ref);
    const redirectUri = redirectUriOf(publicUrl, provider.row);
    const ways = { desk, oidc, publicUrl, provider, redirectUri, source: front.sourceOf(context) };
    return context.redirect(await step(context, door, ways));
  } catch (error) {
    if (!(error instanceof Fault) || error.status === 500) throw error;
    const problem = problems.get(error.code) ?? 'failed';
    log.warn(
      { provider: id.slice(0, 64), problem: error.code, why: error.internal },
      'a sign-in with an identity provider failed',
    );
    // Who begins again still wants to go where he wanted to go.
    const back = backOf(context.get(backName) as string | undefined);
    const more = back === '/' ? '' : `&back=${encodeURIComponent(back)}`;
    return context.redirect(`${consoleOf(publicUrl)}/sign-in?problem=${problem}${more}`);
  }
}

/** Words of the sign-in page; whatever else goes wrong is `failed`. */
const problems: ReadonlyMap<string, string> = new Map([
  ['signIn.unavailable', 'unavailable'],
  ['signIn.notAllowed', 'notAllowed'],
  ['signIn.emailRequired', 'emailRequired'],
]);

async function start(context: Context, { front }: Door, ways: Ways): Promise<string> {
  const { desk, oidc, provider, redirectUri, source } = ways;
  const back = backOf(context.req.query('back'));
  context.set(backName, back);
  const { url, begun } = await oidc.begin(provider.oidc, redirectUri, source);
  const expiresAtMs = desk.clock.now() + awayMs;
  const away = JSON.stringify({ ...begun, back, expiresAtMs });
  const [key] = provider.keys;
  if (key === undefined) throw new Fault('secrets.key_missing');
  const isSecure = front.isSecure(context);
  setCookie(context, nameFor(isSecure), sealText(key, away, placeOf(provider)), {
    path: '/',
    httpOnly: true,
    // Strict would not come back with the browser, which the provider sends.
    sameSite: 'Lax',
    secure: isSecure,
    maxAge: awayMs / 1_000,
  });
  return url;
}

async function callback(context: Context, door: Door, ways: Ways): Promise<string> {
  const { desk, oidc, publicUrl, provider, redirectUri, source } = ways;
  const isSecure = door.front.isSecure(context);
  const sealed = getCookie(context, nameFor(isSecure)) ?? '';
  deleteCookie(context, nameFor(isSecure), { path: '/', secure: isSecure });
  const { back, expiresAtMs, ...begun } = readAway(sealed, provider);
  context.set(backName, back);
  if (desk.clock.now() >= expiresAtMs)
    throw new Fault('signIn.failed', { internal: 'it took longer than ten minutes' });
  const { search } = new URL(context.req.url);
  const claims = await oidc.finish(provider.oidc, { redirectUri, search, begun, source });
  const { organization, id } = provider.row;
  const actor = await arrive(desk, {
    ref: { organization, id },
    claims,
    state: begun.state,
    stateExpiresAtMs: expiresAtMs,
    address: source,
  });
  await giveSession(context, door, { actor, passwordHash: '', properties: { IDENTITY_PROVIDER: id } });
  return `${consoleOf(publicUrl)}${back}`;
}

/** Over TLS no other site of the domain can plant it (RFC 6265bis, 4.1.3.2): whoever could would lead people into his own account. */
const nameFor = (isSecure: boolean): string => (isSecure ? `__Host-${cookieName}` : cookieName);

const placeOf = ({ row: { organization, id } }: OpenProvider) =>
  ({ organization, environment: '', kind: 'identity-provider', id, field: 'sign-in' }) as const;

/** What this browser took along to this provider. Errors: signIn.failed for one that took nothing, or something else. */
function readAway(sealed: string, provider: OpenProvider): z.infer<typeof awaySchema> {
  try {
    const keys = new Map(provider.keys.map((key) => [key.id, key]));
    return awaySchema.parse(JSON.parse(openText(keys, sealed, placeOf(provider))));
  } catch {
    throw new Fault('signIn.failed', { internal: 'this browser did not begin it' });
  }
}

/** A path of the console, to which it is put behind: it leads to no other host. */
function backOf(wanted: string | undefined): string {
  const isPath =
    wanted !== undefined && wanted.length <= backCharsMax && /^\/[\x21-\x5b\x5d-\x7e]*$/.test(wanted);
  return isPath && !wanted.startsWith('//') ? wanted : '/';
}

const consoleOf = (publicUrl: string | undefined): string =>
  `${(publicUrl ?? '').replace(/\/+$/, '')}/console`;
