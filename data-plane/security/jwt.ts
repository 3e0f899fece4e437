import type { PolicyConfig } from '../../proto/policies/catalog.ts';
import { algorithmOf, jwt as schema } from '../../proto/policies/jwt.ts';
import { readSignedToken, signerOf, type SignedToken } from '../../proto/trust/signed-token.ts';
import { readTokenKey, type TokenAlgorithm, type TokenKey } from '../../proto/trust/token-keys.ts';
import { createRefuse } from '../policies/refuse.ts';
import { PresentedCertificates } from './presented-certificate.ts';
import {
  type Admission,
  type AskedPlan,
  isChosen,
  type Knock,
  Later,
  passed,
  type PlanSecurity,
  type RefusedAdmission,
  type SecurityHost,
  type SecurityKind,
} from './security.ts';
import { hideToken, presentedToken } from './tokens/bearer.ts';
import { areEnough, claimOf, clientIdOf, scopesOf, textClaim } from './tokens/claims.ts';
import { fixedKeys, type KeySource } from './tokens/key-set.ts';
import { Revocations } from './tokens/revocations.ts';
import { hash8Of, SeenTokens, textBytes } from './tokens/seen-tokens.ts';

type Config = PolicyConfig<'jwt'>;
type ErrorKey = keyof typeof schema.errors;

/** What is known of a token whose signature was right. */
interface VerifiedToken {
  readonly clientId: string;
  readonly user: string | undefined;
  /** Wall clock. */
  readonly expiresAtMs: number | undefined;
  readonly key: TokenKey;
  /** What a list of revoked tokens would name it by. */
  readonly revocationId: string | undefined;
  /** Of the certificate that it is bound to (RFC 8705 section 3.1), base64url; undefined when to none. */
  readonly thumbprint: string | undefined;
  readonly hash8: string;
}

/** With which a request came in. */
interface Proof {
  readonly verified: VerifiedToken;
  readonly token: string;
}

/** How far clocks may be apart. */
const clockSkewMs = 60_000;

const make = createRefuse(schema.errors);
const headers = [['WWW-Authenticate', 'Bearer']] as const;
const refuse = (key: ErrorKey) => make(key, key === 'JWT_JWKS_RESOLUTION_ERROR' ? {} : { headers });
const missing = refuse('JWT_MISSING_TOKEN');
const invalid = refuse('JWT_INVALID_TOKEN');

/** A signed token: its client id finds the subscription, then all of it is judged. */
export const jwt: SecurityKind<'jwt'> = {
  order: 0,
  recordedAs: 'JWT',
  isOpen: false,
  challenge: 'Bearer',
  create(config, host): PlanSecurity<string, Proof> {
    const judge = createJudge(config, host);
    const algorithm = algorithmOf(config.signature);
    const seen = new SeenTokens<VerifiedToken>(host.tokensSeenMax, host.tokenMemory);
    const enter = <Plan extends AskedPlan>(
      proof: Proof,
      plan: Plan,
      knock: Knock,
    ): Admission<Plan, Proof> => {
      const { clientId, hash8 } = proof.verified;
      const { api, subscriptions, nowMs, request } = knock;
      const subscription = subscriptions.ofClient({ api, plan: plan.id, clientId }, nowMs);
      if (subscription === undefined) return unqualified(hash8);
      const objection = judge.objection(proof.verified, request);
      if (objection !== undefined) return final(objection, hash8);
      return { kind: 'admitted', plan, subscription, proof, keyHash8: hash8 };
    };
    return {
      refusals: { missing, invalid },
      present: presentedToken,
      admit(token, plan, knock) {
        if (!isChosen(plan, knock, () => unverified(token, algorithm))) return passed;
        const known = token === '' ? undefined : seen.find(token, knock.nowMs);
        const waits = judge.waits;
        if (known !== undefined && waits === undefined && judge.holds(known.key))
          return enter({ verified: known, token }, plan, knock);
        const read = readSignedToken(token, algorithm);
        const clientId = read === undefined ? undefined : clientIdOf(read.claims, config.clientIdClaim);
        if (read === undefined || clientId === undefined) return unqualified(undefined);
        const { api, subscriptions, nowMs } = knock;
        // Nobody's signatures are worth the work: who subscribes is asked first.
        if (subscriptions.ofClient({ api, plan: plan.id, clientId }, nowMs) === undefined)
          return unqualified(hash8Of(token));
        return Promise.all([judge.verify(read, clientId, nowMs), waits]).then(([verified]) => {
          if (typeof verified === 'string') return final(verified, hash8Of(token));
          const { expiresAtMs } = verified;
          if (expiresAtMs !== undefined)
            seen.set(token, { known: verified, untilMs: expiresAtMs, bytes: bytesOf(verified) });
          return enter({ verified, token }, plan, knock);
        });
      },
      review({ verified }, { nowMs }) {
        const until = (verified.expiresAtMs ?? Infinity) + clockSkewMs;
        if (nowMs >= until || !judge.holds(verified.key))
          return { reason: 'the token has expired, or its key has gone', errorKey: invalid.key };
        if (judge.isRevoked(verified)) return { reason: 'the token is revoked', errorKey: 'JWT_REVOKED' };
        return until;
      },
      *attributes({ verified, token }) {
        yield* unverified(token, algorithm);
        yield ['oauth.client_id', verified.clientId];
        yield ['user', verified.user];
        if (config.extractClaims)
          yield ['jwt.claims', new Later(() => readSignedToken(token, algorithm)?.claims)];
      },
      ...(!config.propagateAuthHeader && {
        hide: hideToken,
      }),
      ...(judge.start !== undefined && { start: judge.start }),
      release() {
        judge.release();
        seen.release();
      },
    };
  },
};

/** What a token says of itself: `jwt.claims['aud']` is a list, whatever the issuer wrote. Read when somebody asks. */
function* unverified(
  token: string,
  algorithm: TokenAlgorithm,
): Iterable<readonly [name: string, value: unknown]> {
  yield ['jwt.token', token];
  yield ['jwt', new Later(() => ({ token, claims: claimsOf(token, algorithm) }))];
}

function claimsOf(token: string, algorithm: TokenAlgorithm): unknown {
  const claims = readSignedToken(token, algorithm)?.claims ?? {};
  return Object.hasOwn(claims, 'aud')
    ? new Map(Object.entries(claims)).set('aud', [claims['aud']].flat())
    : claims;
}

/** What is kept of a token, nearly; its texts are the issuer's. */
function bytesOf({ clientId, user = '', revocationId = '', thumbprint = '' }: VerifiedToken): number {
  return textBytes(clientId) + textBytes(user) + textBytes(revocationId) + textBytes(thumbprint);
}

/** Nobody who subscribed: another plan may know better. */
function unqualified(keyHash8: string | undefined): RefusedAdmission {
  return { kind: 'refused', refusal: invalid, keyHash8, isFinal: false };
}

function final(key: ErrorKey, keyHash8: string): RefusedAdmission {
  return { kind: 'refused', refusal: refuse(key), keyHash8, isFinal: key !== 'JWT_JWKS_RESOLUTION_ERROR' };
}

/** Judges tokens by the rules of one plan. */
function createJudge(config: Config, host: SecurityHost) {
  const keys = keySourceOf(config, host);
  const { revocationCheck, userClaim } = config;
  const revocations = revocationCheck.enabled ? revocationsOf(revocationCheck, host) : undefined;
  const isRevoked = ({ revocationId }: VerifiedToken): boolean =>
    revocationId !== undefined && revocations?.has(revocationId) === true;
  const bound = config.confirmationMethodValidation.certificateBoundThumbprint;
  const certificates = bound.extractCertificateFromHeader
    ? new PresentedCertificates({ headerOf: () => bound.headerName.toLowerCase(), isTrusted: host.isTrusted })
    : host.certificates;
  return {
    isRevoked,
    holds: (key: TokenKey) => keys.source.holds(key),
    /** Until the list of revoked tokens was tried once. */
    get waits(): Promise<void> | undefined {
      return revocations?.tried;
    },
    /** Undefined where nothing is fetched. */
    start:
      keys.start === undefined && revocations === undefined
        ? undefined
        : () => {
            keys.start?.();
            revocations?.start();
          },
    release() {
      keys.release?.();
      revocations?.release();
    },
    async verify(read: SignedToken, clientId: string, nowMs: number): Promise<VerifiedToken | ErrorKey> {
      const { kid, claims, token } = read;
      const found = await keys.source.find({ kid, issuer: textClaim(claims, 'iss') });
      if (found === 'unavailable') return 'JWT_JWKS_RESOLUTION_ERROR';
      const key = await signerOf(read, found);
      const times = timesOf(claims);
      if (key === undefined || times === undefined || !isInTime(times, nowMs)) return 'JWT_INVALID_TOKEN';
      if (!isOfType(read.typ, config.tokenTypValidation)) return 'JWT_INVALID_TOKEN';
      if (config.checkRequiredScopes && !areEnough(scopesOf(claims), config)) return 'JWT_INSUFFICIENT_SCOPE';
      return {
        clientId,
        user: textClaim(claims, userClaim),
        expiresAtMs: times.expiresAtMs,
        key,
        revocationId: revocationIdOf(claimOf(claims, revocationCheck.revocationClaim)),
        thumbprint: bound.enabled ? thumbprintOf(claimOf(claims, 'cnf')) : undefined,
        hash8: hash8Of(token),
      };
    },
    /** What of a good token does not go with this request, or no longer. */
    objection(verified: VerifiedToken, request: Knock['request']): ErrorKey | undefined {
      if (isRevoked(verified)) return 'JWT_REVOKED';
      if (!bound.enabled) return undefined;
      const { thumbprint } = verified;
      const isBound =
        thumbprint === undefined
          ? config.confirmationMethodValidation.ignoreMissing
          : isThumbprintOf(certificates.fingerprint(request), thumbprint);
      return isBound ? undefined : 'JWT_INVALID_CERTIFICATE_BOUND_THUMBPRINT';
    },
  };
}

interface OpenedKeys {
  readonly source: KeySource;
  start?(): void;
  release?(): void;
}

function keySourceOf(config: Config, host: SecurityHost): OpenedKeys {
  const { publicKeyResolver, resolverParameter, connectTimeout, requestTimeout, followRedirects } = config;
  const algorithm = algorithmOf(config.signature);
  switch (publicKeyResolver) {
    case 'GIVEN_KEY': {
      const given = [readTokenKey(resolverParameter, algorithm)];
      return { source: fixedKeys(() => given) };
    }
    case 'GATEWAY_KEYS': {
      const keysOf = host.gatewayKeys.of(algorithm);
      return { source: fixedKeys(({ issuer, kid }) => (issuer === undefined ? [] : keysOf(issuer, kid))) };
    }
    case 'JWKS_URL': {
      const wish = {
        algorithm,
        url: resolverParameter.trim(),
        connectTimeout,
        requestTimeout,
        followRedirects,
      };
      let opened: ReturnType<SecurityHost['keySets']['acquire']> | undefined;
      return {
        source: {
          find: (of) => opened?.set.find(of) ?? 'unavailable',
          holds: (key) => opened?.set.holds(key) === true,
        },
        start: () => void (opened = host.keySets.acquire(wish, host)),
        release: () => opened?.release(),
      };
    }
  }
}

function revocationsOf(check: Config['revocationCheck'], host: SecurityHost): Revocations {
  const { revocationListUrl, refreshInterval, connectTimeout, requestTimeout, followRedirects, auth } = check;
  const authorization =
    auth.type === 'basic'
      ? `Basic ${Buffer.from(`${auth.basic.username}:${auth.basic.password}`).toString('base64')}`
      : auth.type === 'token'
        ? `Bearer ${auth.token.value}`
        : undefined;
  return new Revocations(
    {
      url: revocationListUrl,
      refreshMs: refreshInterval * 1_000,
      connectTimeout,
      requestTimeout,
      followRedirects,
      ...(authorization !== undefined && { headers: { authorization } }),
    },
    host,
  );
}

interface Times {
  readonly expiresAtMs: number | undefined;
  readonly notBeforeMs: number | undefined;
}

/** Undefined when one of them, or `iat`, is no time: who reads it otherwise would keep the token for ever. */
function timesOf(claims: SignedToken['claims']): Times | undefined {
  const [exp, nbf, iat] = ['exp', 'nbf', 'iat'].map((name) => claimOf(claims, name));
  if (
    ![exp, nbf, iat].every(
      (time) => time === undefined || (typeof time === 'number' && Number.isFinite(time)),
    )
  )
    return undefined;
  return {
    expiresAtMs: typeof exp === 'number' ? exp * 1_000 : undefined,
    notBeforeMs: typeof nbf === 'number' ? nbf * 1_000 : undefined,
  };
}

function isInTime({ expiresAtMs = Infinity, notBeforeMs = -Infinity }: Times, nowMs: number): boolean {
  return nowMs < expiresAtMs + clockSkewMs && nowMs >= notBeforeMs - clockSkewMs;
}

function isOfType(typ: string | undefined, rule: Config['tokenTypValidation']): boolean {
  if (!rule.enabled) return true;
  if (typ === undefined) return rule.ignoreMissing;
  return rule.expectedValues.some(
    (expected) => expected === typ || (rule.ignoreCase && expected.toLowerCase() === typ.toLowerCase()),
  );
}

/** A list holds texts; issuers count sessions and users as well. */
function revocationIdOf(claim: unknown): string | undefined {
  if (typeof claim === 'number' || typeof claim === 'boolean') return String(claim);
  return typeof claim === 'string' && claim.trim() !== '' ? claim.trim() : undefined;
}

/** What is there and is no thumbprint is that of no certificate: only a token without one is not bound. */
function thumbprintOf(confirmation: unknown): string | undefined {
  const thumbprint =
    typeof confirmation === 'object' && confirmation !== null
      ? claimOf(confirmation as SignedToken['claims'], 'x5t#S256')
      : undefined;
  return thumbprint === undefined || typeof thumbprint === 'string' ? thumbprint : '';
}

function isThumbprintOf(fingerprint: string | undefined, thumbprint: string): boolean {
  return fingerprint !== undefined && Buffer.from(fingerprint, 'hex').toString('base64url') === thumbprint;
}
