import { LRUCache } from 'lru-cache';
import * as openid from 'openid-client';
import { z } from 'zod';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Outbound } from '../../../proto/process/outbound/outbound.ts';
import { createTurns, type TurnLimits } from '../turns.ts';

/** A provider as far as the protocol needs it; its client secret is open. */
export interface OidcProvider {
  /** What is known of it is asked for anew when this differs, e.g. `acme/corporate/1790000000000`. */
  readonly key: string;
  /** Its document, which ends with {@link wellKnown}. */
  readonly discoveryUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  /** In place of what its document says. */
  readonly endpoints: {
    readonly authorize?: string | undefined;
    readonly token?: string | undefined;
    readonly userInfo?: string | undefined;
  };
}

/** What a sign-in that has begun must find again at its end. */
export interface BegunSignIn {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What a provider says of somebody: claims of the ID token, with those of its user info. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

/**
 * Sign-in by OpenID Connect: authorization code with PKCE (RFC 7636), state and nonce.
 *
 * The issuer, the audience, the times, the nonce and the signature of the ID token are judged, `iss` of the answer where it is there or
 * promised (RFC 9207), and that user info speaks of the same subject. All calls leave by the one outbound client.
 *
 * Errors: signIn.failed when the provider refuses, or says what does not hold; signIn.unavailable when it is not there, or too many sign in.
 */
export interface Oidc {
  /** Where to send the browser, and what to remember. */
  begin(
    provider: OidcProvider,
    redirectUri: string,
    source: string,
  ): Promise<{ readonly url: string; readonly begun: BegunSignIn }>;
  /** search: the query with which the browser came back. */
  finish(
    provider: OidcProvider,
    back: {
      readonly redirectUri: string;
      readonly search: string;
      readonly begun: BegunSignIn;
      readonly source: string;
    },
  ): Promise<Claims>;
}

/** How the URL of a discovery document ends; before it stands the issuer. */
export const wellKnown = '/.well-known/openid-configuration';

const callMsMax = 10_000;
const answerBytesMax = 1_048_576;
/** Providers whose documents are remembered, and how long. */
const knownMax = 200;
const knownMs = 600_000;
/** How far a provider's clock may be off. */
const clockToleranceS = 30;
// Whoever has not signed in can begin as often as he likes: so many calls run at once, one of a source.
const turnDefaults: TurnLimits = { concurrencyMax: 32, waitingPerSourceMax: 32, waitingMax: 512 };

/** Loopback is reached only where `outbound.allow` names it, and nothing between can read it. */
export function isLoopbackHttp(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

const endpoint = z.url({ protocol: /^https?$/ }).max(2_048);
const documentSchema = z.looseObject({
  issuer: endpoint,
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  jwks_uri: endpoint,
  userinfo_endpoint: endpoint.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

/** Makes it for this process. */
export function createOidc(outbound: Pick<Outbound, 'request'>, limits = turnDefaults): Oidc {
  const turns = createTurns(limits);
  const configurations = new LRUCache<string, Promise<openid.Configuration>>({ max: knownMax, ttl: knownMs });
  const configurationOf = (provider: OidcProvider): Promise<openid.Configuration> => {
    const known = configurations.get(provider.key);
    if (known !== undefined) return known;
    const made = discover(outbound, provider);
    configurations.set(provider.key, made);
    made.catch(() => configurations.delete(provider.key));
    return made;
  };
  const inTurn = async <T>(source: string, work: () => Promise<T>): Promise<T> => {
    const done = await turns.take(source, () =>
      work().catch((error: unknown) => Promise.reject(faultOf(error))),
    );
    if (done === 'busy') throw new Fault('signIn.unavailable', { internal: 'too many sign in at once' });
    return done;
  };

  return {
    begin: (provider, redirectUri, source) =>
      inTurn(source, async () => {
        const configuration = await configurationOf(provider);
        const begun = {
          state: openid.randomState(),
          nonce: openid.randomNonce(),
          verifier: openid.randomPKCECodeVerifier(),
        };
        const url = openid.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope: [...new Set(['openid', ...provider.scopes])].join(' '),
          state: begun.state,
          nonce: begun.nonce,
          code_challenge: await openid.calculatePKCECodeChallenge(begun.verifier),
          code_challenge_method: 'S256',
        });
        return { url: url.href, begun };
      }),
    finish: (provider, { redirectUri, search, begun, source }) =>
      inTurn(source, async () => {
        const configuration = await configurationOf(provider);
        // Not the URL that was asked for: what the browser, or a proxy, calls us must not reach the provider.
        const answered = new URL(redirectUri);
        answered.search = search;
        const tokens = await openid.authorizationCodeGrant(configuration, answered, {
          expectedState: begun.state,
          expectedNonce: begun.nonce,
          pkceCodeVerifier: begun.verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new Fault('signIn.failed', { internal: 'no ID token' });
        if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
        const info = await openid.fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return { ...info, ...claims };
      }),
  };
}

async function discover(
  outbound: Pick<Outbound, 'request'>,
  provider: OidcProvider,
): Promise<openid.Configuration> {
  const { discoveryUrl, clientId, clientSecret, endpoints } = provider;
  const answer = await outbound.request(discoveryUrl, {
    headers: { accept: 'application/json' },
    timeoutMs: callMsMax,
    bodyBytesMax: answerBytesMax,
  });
  if (answer.status !== 200) throw unavailable(`the document was answered with ${answer.status}`);
  const parsed = documentSchema.safeParse(await answer.json());
  if (!parsed.success)
    throw unavailable(
      `the document lacks ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`,
    );
  const document = parsed.data;
  // OpenID Connect Discovery 1.0, 4.3; a slash at the end of an issuer is left out in front of the path.
  const issuer = discoveryUrl.slice(0, -wellKnown.length);
  if (document.issuer.replace(/\/$/, '') !== issuer) throw failed('the document is of another issuer');
  const metadata: openid.ServerMetadata = {
    ...(document as openid.ServerMetadata),
    authorization_endpoint: endpoints.authorize ?? document.authorization_endpoint,
    token_endpoint: endpoints.token ?? document.token_endpoint,
    ...(endpoints.userInfo !== undefined && { userinfo_endpoint: endpoints.userInfo }),
  };
  const isInsecure = isLoopbackHttp(discoveryUrl);
  const { protocol } = new URL(metadata.authorization_endpoint ?? '');
  if (!isInsecure && protocol !== 'https:') throw failed('the authorization endpoint is not https');
  const methods = document.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication = methods.includes('client_secret_basic')
    ? openid.ClientSecretBasic(clientSecret)
    : openid.ClientSecretPost(clientSecret);
  const client = { [openid.clockTolerance]: clockToleranceS };
  const configuration = new openid.Configuration(metadata, clientId, client, authentication);
  Object.assign(configuration, { [openid.customFetch]: fetchBy(outbound) });
  configuration.timeout = callMsMax / 1_000;
  // The signature too, not the channel alone: an endpoint may be served by somebody else than the keys.
  openid.enableNonRepudiationChecks(configuration);
  if (isInsecure) openid.allowInsecureRequests(configuration);
  return configuration;
}

function fetchBy(outbound: Pick<Outbound, 'request'>): openid.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await outbound.request(url, {
      method,
      headers,
      ...(typeof body === 'string' || body instanceof URLSearchParams ? { body: body.toString() } : {}),
      timeoutMs: callMsMax,
      signal,
      bodyBytesMax: answerBytesMax,
    });
    const bytes = await answer.bytes();
    const isEmpty = [204, 205, 304].includes(answer.status);
    return new Response(isEmpty ? null : Buffer.from(bytes), {
      status: answer.status,
      headers: answer.headers,
    });
  };
}

const failed = (internal: string): Fault => new Fault('signIn.failed', { internal });
const unavailable = (internal: string): Fault => new Fault('signIn.unavailable', { internal });

/**
 * What went wrong, in words of our own: what a provider sent, and what a library makes of it, may hold tokens, so no cause is kept.
 */
function faultOf(error: unknown): unknown {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; depth += 1) {
    if (cause instanceof Fault)
      return cause.code.startsWith('outbound.') ? unavailable(cause.message) : cause;
    ({ cause } = cause);
  }
  if (!(error instanceof Error)) return error;
  if (error.cause instanceof Response && error.cause.status >= 500)
    return unavailable(`answered with ${error.cause.status}`);
  const code = 'code' in error ? String(error.code) : '';
  // Codes of the protocol, from a list of its own; never the description, which a provider writes as it likes.
  const said = 'error' in error && /^[a-z_]{1,64}$/.test(String(error.error)) ? String(error.error) : '';
  const isKnown = code !== '' || error instanceof openid.ClientError;
  return isKnown ? failed(`${error.name} ${code} ${said}`.trim()) : error;
}
