import { z } from 'zod';
import { Fault } from '../faults/fault.ts';
import type { Grant } from '../wire/published.ts';
import { signBytes, verifyBytes } from './keys.ts';

const domain = 'isthmus.enrolment-token.v1';
const prefix = 'ist1';
const tokenCharsMax = 16_384;

/** What an enrolment token says. */
export interface EnrolmentTokenPayload {
  readonly id: string;
  /** URL of the bridge to dial. */
  readonly bridge: string;
  readonly organization: string;
  /** Raw public half of the organization's root key: what the gateway trusts from then on. */
  readonly rootKey: Uint8Array;
  /** What the fleet grants; informative here, the publisher's own record decides. */
  readonly grant: Grant;
  readonly expiresAtMs: number;
  /** 128 random bits and more, base64url; the publisher keeps only its hash. */
  readonly secret: string;
}

const text = z.string().min(1).max(256);
const schema = z.strictObject({
  id: text,
  bridge: z.url({ protocol: /^https?$/ }).max(1_024),
  organization: text,
  rootKey: z.base64url().length(43),
  grant: z.strictObject({
    organization: text,
    fleet: text,
    environments: z.array(text).max(1_000),
    tags: z.array(text).max(64),
    tenant: text.optional(),
  }),
  expiresAtMs: z.int().min(0),
  secret: z.base64url().min(22).max(128),
});

/** Writes a token: `ist1.<payload>.<signature>`, signed by the organization's root. */
export function createEnrolmentToken(payload: EnrolmentTokenPayload, rootPrivateKey: Uint8Array): string {
  const json = JSON.stringify({ ...payload, rootKey: Buffer.from(payload.rootKey).toString('base64url') });
  const bytes = Buffer.from(json);
  const signature = signBytes(domain, bytes, rootPrivateKey);
  return [prefix, bytes.toString('base64url'), Buffer.from(signature).toString('base64url')].join('.');
}

/**
 * Reads a token and checks its signature against the root key: the given one (at the publisher), else the one inside,
 * which proves that it was copied whole (at the gateway, which trusts the operator who pasted it).
 *
 * Errors: trust.malformed, trust.bad_signature, trust.expired when nowMs is given and past.
 */
export function readEnrolmentToken(
  token: string,
  against: { readonly rootKey?: Uint8Array; readonly nowMs?: number } = {},
): EnrolmentTokenPayload {
  const [version, body, signature, ...rest] = token.trim().slice(0, tokenCharsMax).split('.');
  if (version !== prefix || body === undefined || signature === undefined || rest.length > 0) {
    throw new Fault('trust.malformed', {
      detail: 'the enrolment token is not of the form ist1.<payload>.<signature>',
      hint: 'Copy the whole token, as one line.',
    });
  }
  const bytes = Buffer.from(body, 'base64url');
  const payload = parsePayload(bytes);
  const publicKey = against.rootKey ?? payload.rootKey;
  if (!verifyBytes(domain, bytes, { publicKey, signature: Buffer.from(signature, 'base64url') }))
    throw new Fault('trust.bad_signature', {
      hint: 'Copy the whole token, as one line. Tokens that were made before the root key was rolled (isthmus keys roll-root) ended with it: make a new one.',
    });
  if (against.nowMs !== undefined && against.nowMs > payload.expiresAtMs)
    throw new Fault('trust.expired', { hint: 'Make a new token on the fleet.' });
  return payload;
}

function parsePayload(bytes: Buffer): EnrolmentTokenPayload {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Fault('trust.malformed', { detail: 'the enrolment token holds no JSON', cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const details = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    throw new Fault('trust.malformed', { detail: 'the enrolment token lacks a field', details });
  }
  const { grant, rootKey, ...plain } = parsed.data;
  return {
    ...plain,
    rootKey: Uint8Array.from(Buffer.from(rootKey, 'base64url')),
    grant: { ...grant, tenant: grant.tenant },
  };
}
