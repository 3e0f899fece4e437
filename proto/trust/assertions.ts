import { randomBytes } from 'node:crypto';
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { Fault } from '../faults/fault.ts';
import { privateKeyObject, publicKeyObject } from './raw-keys.ts';
import type { ReplayGuard } from './replay.ts';

const typ = 'isthmus-assertion+jwt';
/** How long an assertion is good for. */
export const assertionSeconds = 60;
/** How far the two clocks may be apart; beyond that the refusal's bridge time tells the gateway what to use. */
export const clockSkewSeconds = 30;
const tokenCharsMax = 2_048;

const claims = z.object({
  iss: z.string().min(1).max(256),
  sub: z.string().min(1).max(256),
  aud: z.string().min(1).max(1_024),
  iat: z.int(),
  exp: z.int(),
  // 128 bits in canonical base64url: 22 characters, the last of which has four zero bits. Another spelling of the
  // same bits would pass a guard that compares texts.
  jti: z.string().regex(/^[A-Za-z0-9_-]{21}[AQgw]$/),
});

/** Who presents an assertion. */
export interface AssertionSubject {
  readonly gateway: string;
  /** Random for each process start. */
  readonly instance: string;
}

/** The audience of a bridge: the origin of the URL that the gateway dials, e.g. `https://bridge.example:18092`. */
export function audienceOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol.replace('ws', 'http')}//${host}`;
}

/** Signs a short-lived proof of who the gateway is; a JWS with EdDSA. nowMs may be corrected by the bridge's time. */
export async function signAssertion(
  assertion: AssertionSubject & {
    readonly audience: string;
    readonly nowMs: number;
    /** Raw Ed25519 private key. */
    readonly key: Uint8Array;
  },
): Promise<string> {
  const issuedAt = Math.floor(assertion.nowMs / 1_000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', typ })
    .setIssuer(assertion.gateway)
    .setSubject(assertion.instance)
    .setAudience(assertion.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + assertionSeconds)
    .setJti(randomBytes(16).toString('base64url'))
    .sign(privateKeyObject('ed25519', assertion.key));
}

/** Reads who an assertion claims to be from, unverified: to look the key up. Errors: trust.malformed. */
export function peekAssertion(token: string): AssertionSubject {
  if (token.length > tokenCharsMax)
    throw new Fault('trust.malformed', { detail: 'the assertion is too long' });
  const parsed = claims.safeParse(decoded(token));
  if (!parsed.success) throw new Fault('trust.malformed', { detail: 'the assertion lacks a claim' });
  return { gateway: parsed.data.iss, instance: parsed.data.sub };
}

/**
 * Verifies an assertion and remembers it, so that it is taken once.
 *
 * Errors: trust.malformed, trust.bad_signature, trust.expired (either end, by the verifier's clock),
 *         trust.wrong_audience, trust.replayed, request.too_many when the guard is full.
 */
export async function verifyAssertion(
  token: string,
  against: {
    /** Raw Ed25519 public key of the gateway. */
    readonly key: Uint8Array;
    readonly audience: string | readonly string[];
    readonly nowMs: number;
    readonly replay: ReplayGuard;
  },
): Promise<AssertionSubject> {
  const subject = peekAssertion(token);
  const { aud, iat, exp, jti } = await verifiedClaims(token, against.key);
  const nowSeconds = against.nowMs / 1_000;
  if (exp - iat > assertionSeconds)
    throw new Fault('trust.malformed', { detail: 'the assertion lives too long' });
  if (iat > nowSeconds + clockSkewSeconds)
    throw new Fault('trust.expired', { detail: 'the assertion is from the future; see bridgeTimeMs' });
  if (exp < nowSeconds - clockSkewSeconds)
    throw new Fault('trust.expired', { detail: 'the assertion has expired; see bridgeTimeMs' });
  const audiences = typeof against.audience === 'string' ? [against.audience] : against.audience;
  if (!audiences.includes(aud))
    throw new Fault('trust.wrong_audience', {
      detail: `the assertion is for ${aud}, this is ${audiences.join(', ')}`,
    });
  const forgetAtMs = (exp + clockSkewSeconds) * 1_000;
  const taken = against.replay.take({ owner: subject.gateway, id: jti }, forgetAtMs, against.nowMs);
  if (taken === 'replayed') throw new Fault('trust.replayed');
  if (taken === 'full') throw new Fault('request.too_many', { detail: 'too many assertions in one minute' });
  return subject;
}

async function verifiedClaims(token: string, key: Uint8Array): Promise<z.infer<typeof claims>> {
  try {
    // The time is checked by the caller's clock; jose's own check is given a date at which every token is valid.
    const { payload } = await jwtVerify(token, publicKeyObject('ed25519', key), {
      algorithms: ['EdDSA'],
      typ,
      currentDate: new Date(0),
      clockTolerance: Number.MAX_SAFE_INTEGER,
    });
    return claims.parse(payload);
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed)
      throw new Fault('trust.bad_signature', { cause });
    throw new Fault('trust.malformed', { detail: 'the assertion is not of the expected form', cause });
  }
}

function decoded(token: string): unknown {
  try {
    return decodeJwt(token);
  } catch (cause) {
    throw new Fault('trust.malformed', { detail: 'the assertion is not a token', cause });
  }
}
