import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createOutbound } from '../../../proto/process/outbound/outbound.ts';
import { testDatabases } from '../servers/databases.ts';
import { type Office, openOffice, v1 } from './office.ts';

/** Where browsers reach the control plane. */
export const publicUrl = 'https://cp.example';
/** Paths. */
export const organization = '/management/organizations/DEFAULT';
export const providersPath = `${organization}/configuration/identities`;
/** What the console is called at providers. */
export const clientId = 'isthmus';
export const clientSecret = 'planted-client-secret-of-the-console';

/** An office with identity providers, and a browser before it. */
export interface Scene extends Office {
  /** Begins at a provider; says where the browser is sent, and what it keeps. */
  start(id?: string, query?: string): Promise<{ readonly url: string; readonly cookie: string }>;
  /** Comes back from it; says where that leads, and the session. */
  back(
    url: string,
    cookie?: string,
  ): Promise<{ readonly location: string; readonly session: string | undefined }>;
  /** Who has that session. */
  me(session: string | undefined): Promise<Record<string, unknown>>;
}

/** Opens one that reaches those hosts. */
export async function openScene(
  t: TestContext,
  hosts: readonly string[],
  given: Parameters<typeof openOffice>[2] & { readonly database?: (typeof testDatabases)[number] } = {},
): Promise<Scene> {
  const [sqlite] = testDatabases;
  assert.ok(sqlite !== undefined);
  const outbound = createOutbound({
    profile: 'public',
    allow: hosts,
    connectMsMax: 2_000,
    responseBytesMax: 1_048_576,
  });
  t.after(() => outbound.close());
  const office = await openOffice(t, given.database ?? sqlite, { outbound, publicUrl, ...given });
  const redirected = async (path: string, cookie = '') => {
    const answer = await office.call('GET', path, { as: null, headers: { cookie } });
    assert.equal(answer.status, 302, answer.text);
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
    const set = answer.headers.getSetCookie();
    const valueOf = (name: string) =>
      set.find((line) => line.startsWith(`${name}=`) && !line.includes('Max-Age=0'))?.split(';')[0];
    return { location: answer.headers.get('location') ?? '', set, valueOf };
  };
  return {
    ...office,
    async start(id = 'corporate', query = '') {
      const { location, set, valueOf } = await redirected(`${organization}/auth/oauth2/${id}/_start${query}`);
      if (location.startsWith('http://'))
        assert.match(set.join(), /__Host-isthmus-sign-in=.*; HttpOnly; Secure; SameSite=Lax/);
      return { url: location, cookie: valueOf('__Host-isthmus-sign-in') ?? '' };
    },
    async back(url, cookie) {
      const { pathname, search } = new URL(url);
      const { location, valueOf } = await redirected(`${pathname}${search}`, cookie);
      return { location, session: valueOf('__Host-Auth-Graviteeio-APIM') };
    },
    async me(session) {
      const answer = await office.call('GET', `${organization}/user`, {
        as: null,
        headers: { cookie: session ?? '' },
      });
      return answer.status === 200 ? answer.body : { status: answer.status };
    },
  };
}

/** Where a provider sends browsers back. */
export const redirectUriAt = (office: Office, id = 'corporate', base = publicUrl): string =>
  `${base}/management/organizations/${office.at.organization}/auth/oauth2/${id}/_callback`;

/** Trusts a provider, and lets people in by it; says its id. */
export async function trust(office: Office, issuer: string, more: object = {}): Promise<string> {
  const made = await office.call('POST', providersPath, {
    body: {
      name: 'Corporate',
      type: 'OIDC',
      configuration: {
        clientId,
        clientSecret,
        discoveryEndpoint: `${issuer}/.well-known/openid-configuration`,
      },
      ...more,
    },
  });
  assert.equal(made.status, 201, made.text);
  const id = String(made.body['id']);
  await activate(office, organization, [id]);
  await activate(office, v1, [id]);
  return id;
}

/** Lets these providers count there, and no other. */
export async function activate(office: Office, at: string, ids: readonly string[]): Promise<void> {
  const put = await office.call('PUT', `${at}/identities`, {
    body: ids.map((identityProvider) => ({ identityProvider })),
  });
  assert.equal(put.status, 204, put.text);
}
