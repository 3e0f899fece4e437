import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { Fault } from '../faults/fault.ts';
import { privateKeyObject, publicKeyObject } from './raw-keys.ts';
import { seatRoles, type SeatRole } from './seats.ts';

const typ = 'isthmus-assertion+jwt';
const tokenCharsMax = 2_048;

const claims = z.object({
  iss: z.string().min(1).max(256),
  sub: z.string().min(1).max(256),
  aud: z.string().min(1).max(1_024),
  role: z.enum(seatRoles),
  nonce: z.string().min(1).max(128),
});

/** Who presents an assertion. */
export interface AssertionSubject {
  readonly gateway: string;
  /** Random for each process start. */
  readonly instance: string;
  readonly role: SeatRole;
  /** The bridge's, signed. */
  readonly nonce: string;
}

/** The audience of a bridge: the origin of the URL that the gateway dials, e.g. `https://bridge.example:18092`. */
export function audienceOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol.replace('ws', 'http')}//${host}`;
}

/**
 * Signs a nonce of the bridge as proof of who the gateway is; a JWS with EdDSA.
 *
 * No time stands in it, so no clock of the gateway is asked: the nonce says when it is, by the bridge's database.
 */
export async function signAssertion(
  assertion: AssertionSubject & {
    readonly audience: string;
    /** Raw Ed25519 private key. */
    readonly key: Uint8Array;
  },
): Promise<string> {
  const { role, nonce } = assertion;
  return new SignJWT({ role, nonce })
    .setProtectedHeader({ alg: 'EdDSA', typ })
    .setIssuer(assertion.gateway)
    .setSubject(assertion.instance)
    .setAudience(assertion.audience)
    .sign(privateKeyObject('ed25519', assertion.key));
}

/** Reads who an assertion claims to be from, unverified: to look the key up. Errors: trust.malformed. */
export function peekAssertion(token: string): AssertionSubject {
  if (token.length > tokenCharsMax)
    throw new Fault('trust.malformed', { detail: 'the assertion is too long' });
  const parsed = claims.safeParse(decoded(token));
  if (!parsed.success) throw new Fault('trust.malformed', { detail: 'the assertion lacks a claim' });
  const { iss, sub, role, nonce } = parsed.data;
  return { gateway: iss, instance: sub, role, nonce };
}

/**
 * Verifies signature and audience; whether the nonce is good and fresh is the caller's to ask, before and after.
 *
 * Errors: trust.malformed, trust.bad_signature, trust.wrong_audience.
 */
export async function verifyAssertion(
  token: string,
  against: {
    /** Raw Ed25519 public key of the gateway. */
    readonly key: Uint8Array;
    readonly audiences: readonly string[];
  },
): Promise<AssertionSubject> {
  const subject = peekAssertion(token);
  const { aud } = await verifiedClaims(token, against.key);
  const { audiences } = against;
  if (!audiences.includes(aud))
    throw new Fault('trust.wrong_audience', {
      detail: `the assertion is for ${aud}, this is ${audiences.join(', ')}`,
    });
  return subject;
}

async function verifiedClaims(token: string, key: Uint8Array): Promise<z.infer<typeof claims>> {
  try {
    const { payload } = await jwtVerify(token, publicKeyObject('ed25519', key), {
      algorithms: ['EdDSA'],
      typ,
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
