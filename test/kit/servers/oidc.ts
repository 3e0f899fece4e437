import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import Provider from 'oidc-provider';
import { fetch } from 'undici';

/** A real OpenID provider on loopback that everybody passes at once. */
export interface TestOidc {
  readonly issuer: string;
  readonly host: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Claims by subject: what it says of people from now on. */
  readonly people: Map<string, Readonly<Record<string, unknown>>>;
  /** Who sits before the browser; undefined for somebody who does not want to be let in. */
  someone: string | undefined;
  /** Goes through its pages as a browser would; says where it sends the browser back. */
  pass(url: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts one that knows this client; a redirect URI is judged exactly, and PKCE is required. */
export async function startOidc(t: TestContext, redirectUri: string): Promise<TestOidc> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `http://${host}`;
  const people: TestOidc['people'] = new Map();
  const client = { clientId: 'isthmus', clientSecret: 'planted-client-secret-of-the-console' };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['of-a-test'] },
    pkce: { required: () => true },
    claims: {
      openid: ['sub'],
      profile: ['given_name', 'family_name', 'groups'],
      email: ['email', 'email_verified'],
    },
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
    async loadExistingGrant(context) {
      const { client: asking, session } = context.oidc;
      const grant = new context.oidc.provider.Grant({
        clientId: asking?.clientId ?? '',
        accountId: session?.accountId ?? '',
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  const oidc: TestOidc = {
    issuer,
    host,
    ...client,
    people,
    someone: 'ann',
    async pass(url) {
      const cookies = new Map<string, string>();
      for (let at = url, steps = 0; steps < 10; steps += 1) {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const step = await fetch(at, { redirect: 'manual', headers: { cookie } });
        for (const line of step.headers.getSetCookie()) {
          const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
          cookies.set(name, value);
        }
        await step.text();
        const location = step.headers.get('location');
        if (location === null) throw new Error(`the provider answered with ${step.status} at ${at}`);
        at = new URL(location, at).href;
        if (!at.startsWith(issuer)) return at;
      }
      throw new Error('the provider leads nowhere');
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') === true)
      void provider.interactionFinished(
        request,
        response,
        oidc.someone === undefined ? { error: 'access_denied' } : { login: { accountId: oidc.someone } },
      );
    else void answer(request, response);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return oidc;
}
