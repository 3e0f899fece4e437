import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What it says this time; what is not said is right. */
export interface Lie {
  /** In place of the head of the ID token. */
  readonly head?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signed with a key that it does not show. */
  readonly isForged?: boolean;
  readonly signature?: string;
  /** In place of the ID token. */
  readonly idToken?: string;
  readonly userInfo?: Readonly<Record<string, unknown>>;
  readonly document?: Readonly<Record<string, unknown>>;
  /** In place of the answer of the token endpoint. */
  readonly status?: number;
}

/** An OpenID provider that says what a test wants, and keeps what it is told. */
export interface LyingIssuer {
  readonly issuer: string;
  readonly host: string;
  lie: Lie;
  /** Bodies of what came to the token endpoint. */
  readonly asked: URLSearchParams[];
  /** The answer to an authorization request; `more` is put over it. */
  answerTo(url: string, more?: Readonly<Record<string, string | undefined>>): string;
  /** The ID token that would be said now. */
  idToken(): string;
}

const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Starts one on loopback. */
export async function startLyingIssuer(t: TestContext, clientId: string): Promise<LyingIssuer> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const others = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let nonce = '';
  const asked: URLSearchParams[] = [];
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `http://${host}`;

  const idToken = (): string => {
    const { lie } = lying;
    const nowS = Math.floor(Date.now() / 1_000);
    const head = text({ alg: 'ES256', kid: 'k', ...lie.head });
    const claims = {
      iss: issuer,
      aud: clientId,
      sub: 'eve',
      iat: nowS,
      exp: nowS + 300,
      nonce,
      ...lie.claims,
    };
    const body = `${head}.${text(claims)}`;
    const key: KeyObject = lie.isForged === true ? others.privateKey : keys.privateKey;
    const signature = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
    return `${body}.${lie.signature ?? signature.toString('base64url')}`;
  };
  const lying: LyingIssuer = {
    issuer,
    host,
    lie: {},
    asked,
    idToken,
    answerTo(url, more = {}) {
      const { searchParams } = new URL(url);
      nonce = searchParams.get('nonce') ?? '';
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      const params = { code: 'a-code', state: searchParams.get('state') ?? '', iss: issuer, ...more };
      for (const [name, value] of Object.entries(params))
        if (value !== undefined) back.searchParams.set(name, value);
      return back.href;
    },
  };
  const answers: Readonly<Record<string, () => unknown>> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/me`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['ES256', 'none', 'HS256'],
      ...lying.lie.document,
    }),
    '/jwks': () => ({
      keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }],
    }),
    '/token': () => ({
      access_token: 'access',
      token_type: 'bearer',
      id_token: lying.lie.idToken ?? idToken(),
    }),
    '/me': () => ({ sub: 'eve', ...lying.lie.userInfo }),
  };
  server.on('request', (request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      const path = request.url ?? '';
      if (path === '/token') asked.push(new URLSearchParams(body));
      const status = path === '/token' ? (lying.lie.status ?? 200) : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? answers[path]?.() : { error: 'server_error' }));
    })();
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return lying;
}
