import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

import type { TokenAlgorithm } from '../../../proto/trust/token-keys.ts';

/** Whoever signs tokens in a test: honest ones, and whatever else a test asks for. */
export interface Issuer {
  readonly algorithm: TokenAlgorithm;
  readonly kid: string;
  /** PEM. */
  readonly publicKey: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** A compact token; `header` replaces fields of the usual one. Claims hold `exp` in an hour unless they say otherwise. */
  token(claims: object, header?: object): string;
}

const hashes = { '256': 'sha256', '384': 'sha384', '512': 'sha512' } as const;
const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

/** Makes one with a new key pair. */
export function createIssuer(algorithm: TokenAlgorithm = 'RS256', kid = 'key-1', rsaBits = 2_048): Issuer {
  const { publicKey, privateKey } =
    algorithm === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : algorithm.startsWith('E')
        ? generateKeyPairSync('ec', { namedCurve: curves[algorithm as keyof typeof curves] })
        : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  return {
    algorithm,
    kid,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' },
    token: (claims, header) =>
      compact({ alg: algorithm, typ: 'JWT', kid, ...header }, claims, (text) =>
        signText(text, algorithm, privateKey),
      ),
  };
}

/** A token of a shared secret. */
export function secretToken(
  secret: string,
  claims: object,
  header: { readonly alg: string; readonly kid?: string },
): string {
  const hash = hashes[header.alg.slice(2) as keyof typeof hashes];
  return compact({ typ: 'JWT', ...header }, claims, (text) => createHmac(hash, secret).update(text).digest());
}

/** Puts a token together. */
export function compact(header: object, claims: object, signer: (text: string) => Uint8Array): string {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const text = [header, { exp, ...claims }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${Buffer.from(signer(text)).toString('base64url')}`;
}

function signText(text: string, algorithm: TokenAlgorithm, key: KeyObject): Uint8Array {
  const bytes = Buffer.from(text);
  if (algorithm === 'EdDSA') return sign(null, bytes, key);
  const hash = hashes[algorithm.slice(2) as keyof typeof hashes];
  if (algorithm.startsWith('ES')) return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
  // RFC 7518 section 3.5: a salt as long as the hash.
  if (algorithm.startsWith('PS'))
    return sign(hash, bytes, { key, padding: 6, saltLength: Number(algorithm.slice(2)) / 8 });
  return sign(hash, bytes, key);
}

/** A server that says what a test wants it to say. */
export interface SaidServer {
  readonly url: string;
  /** Path of every request so far. */
  readonly asked: string[];
  /** What is said from now on; a number is a status without a body, undefined no answer at all. */
  says:
    | string
    | number
    | undefined
    | ((
        path: string,
        asked: { readonly body: string; readonly headers: IncomingHttpHeaders },
      ) => string | number);
}

/** Starts one on this machine. */
export async function startSaidServer(
  t: Pick<TestContext, 'after'>,
  says: SaidServer['says'],
): Promise<SaidServer> {
  const said = { asked: [] as string[], says, url: '' };
  const server = createServer((request, response) => {
    said.asked.push(request.url ?? '');
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const now =
        typeof said.says === 'function'
          ? said.says(request.url ?? '', { body, headers: request.headers })
          : said.says;
      if (now === undefined) return;
      if (typeof now === 'number') return void response.writeHead(now, { location: '/elsewhere' }).end();
      response.writeHead(200, { 'content-type': 'application/json' }).end(now);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  said.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return said;
}
