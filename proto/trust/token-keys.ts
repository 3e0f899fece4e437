import {
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';

/** Algorithms in which tokens of callers may be signed (RFC 7518 section 3.1, RFC 8037). There is no `none`. */
export type TokenAlgorithm = keyof typeof families;

/** A key that tokens are verified with, for one algorithm and no other. */
export interface TokenKey {
  readonly algorithm: TokenAlgorithm;
  /** As the set that it came from names it. */
  readonly kid: string | undefined;
  readonly key: KeyObject;
}

/** What a key of an algorithm must be. */
type Family =
  | { readonly kind: 'rsa' }
  | { readonly kind: 'secret' }
  | { readonly kind: 'ec'; readonly curve: string; readonly crv: string }
  | { readonly kind: 'ed25519' };

const rsa: Family = { kind: 'rsa' };
const secret: Family = { kind: 'secret' };
const families = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: { kind: 'ec', curve: 'prime256v1', crv: 'P-256' },
  ES384: { kind: 'ec', curve: 'secp384r1', crv: 'P-384' },
  ES512: { kind: 'ec', curve: 'secp521r1', crv: 'P-521' },
  HS256: secret,
  HS384: secret,
  HS512: secret,
  EdDSA: { kind: 'ed25519' },
} as const satisfies Readonly<Record<string, Family>>;

/** All of them. */
export const tokenAlgorithms = Object.keys(families) as readonly TokenAlgorithm[];

/** Shorter ones can be factored, or guessed (RFC 7518 sections 3.2 and 3.3). */
const rsaBitsMin = 2_048;
const rsaBitsMax = 16_384;
const secretBytesMin = 32;
/** A public exponent of 1 makes every signature true, and an even or huge one is nobody's key. */
const exponentMin = 3n;
const exponentMax = 2n ** 33n;
/** Most keys of a set; what follows is not looked at. */
const keysPerSetMax = 100;

/** Says whether tokens of an algorithm are signed and verified with one shared secret. */
export function isSecretAlgorithm(algorithm: TokenAlgorithm): boolean {
  return families[algorithm].kind === 'secret';
}

/**
 * Reads a key that somebody wrote down: a public key or certificate in PEM, `ssh-rsa ...`, or for HS algorithms the secret itself.
 *
 * Errors: an Error whose message says what is wrong with it, without the key.
 */
export function readTokenKey(text: string, algorithm: TokenAlgorithm): TokenKey {
  const family = families[algorithm];
  return {
    algorithm,
    kid: undefined,
    key: family.kind === 'secret' ? readSecret(text) : readPublic(text, family),
  };
}

/**
 * The keys of a JSON Web Key Set (RFC 7517) that verify an algorithm. Those of another kind or purpose, weak ones and secrets, which
 * nobody publishes, are left out; so are certificates and URLs beside them.
 *
 * Errors: an Error when it is no key set.
 */
export function tokenKeysOf(set: unknown, algorithm: TokenAlgorithm): readonly TokenKey[] {
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('is no JSON Web Key Set');
  return keys.slice(0, keysPerSetMax).flatMap((jwk: unknown) => keyOfSet(jwk, algorithm) ?? []);
}

function keyOfSet(jwk: unknown, algorithm: TokenAlgorithm): TokenKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const {
    kty,
    crv,
    kid,
    use,
    alg,
    key_ops: operations,
    n,
    e,
    x,
    y,
  } = jwk as Readonly<Record<string, unknown>>;
  const family = families[algorithm];
  if (use !== undefined && use !== 'sig') return undefined;
  if (alg !== undefined && alg !== algorithm && !(algorithm === 'EdDSA' && alg === 'Ed25519'))
    return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined;
  const fits =
    (family.kind === 'rsa' && kty === 'RSA') ||
    (family.kind === 'ec' && kty === 'EC' && crv === family.crv) ||
    (family.kind === 'ed25519' && kty === 'OKP' && crv === 'Ed25519');
  if (!fits) return undefined;
  try {
    // Only what makes the public key: a set may hold whatever else.
    const key = createPublicKey({ key: withoutAbsent({ kty, crv, n, e, x, y }), format: 'jwk' });
    checkPublic(key, family);
    return { algorithm, kid: typeof kid === 'string' ? kid : undefined, key };
  } catch {
    return undefined;
  }
}

function withoutAbsent(fields: JsonWebKey | Readonly<Record<string, unknown>>): JsonWebKey {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string'));
}

function readSecret(text: string): KeyObject {
  if (text.includes('-----BEGIN') || text.startsWith('ssh-') || isPublic(text))
    throw new Error('is a public key, which everybody may know: HS algorithms need a secret');
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length < secretBytesMin)
    throw new Error(
      `is a secret of ${bytes.length} bytes, which can be guessed; allowed: ${secretBytesMin} and more`,
    );
  return createSecretKey(bytes);
}

/** The other spellings of a public key: what RS256 takes as one, and a JSON Web Key, are nobody's secret. */
function isPublic(text: string): boolean {
  try {
    publicKeyOf(text.trim());
    return true;
  } catch {
    return isPublicJwk(text);
  }
}

function isPublicJwk(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    const read = JSON.parse(text) as JsonWebKey & { readonly keys?: unknown };
    return Array.isArray(read.keys) || ['RSA', 'EC', 'OKP'].includes(read.kty ?? '');
  } catch {
    return false;
  }
}

function readPublic(text: string, family: Family): KeyObject {
  const key = publicKeyOf(text.trim());
  checkPublic(key, family);
  return key;
}

function publicKeyOf(text: string): KeyObject {
  if (text.includes('PRIVATE KEY'))
    throw new Error('is a private key, which nobody else may know; allowed: its public half');
  try {
    if (text.startsWith('ssh-rsa ')) return sshKey(text);
    if (text.includes('-----BEGIN CERTIFICATE-----')) return new X509Certificate(text).publicKey;
    // As some consoles keep it: the base64 alone.
    const pem = text.includes('-----BEGIN')
      ? text
      : `-----BEGIN PUBLIC KEY-----\n${text.replaceAll(/\s/g, '')}\n-----END PUBLIC KEY-----`;
    return createPublicKey(pem);
  } catch {
    throw new Error('is no public key; allowed: PEM of a public key or a certificate, or ssh-rsa');
  }
}

function checkPublic(key: KeyObject, family: Family): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (family.kind === 'ed25519' && type !== 'ed25519') throw new Error('is no Ed25519 key');
  if (family.kind === 'ec' && (type !== 'ec' || details?.namedCurve !== family.curve))
    throw new Error(`is no key on the curve ${family.crv}`);
  if (family.kind !== 'rsa') return;
  if (type !== 'rsa') throw new Error('is no RSA key');
  const bits = details?.modulusLength ?? 0;
  const exponent = details?.publicExponent ?? 0n;
  if (bits < rsaBitsMin || bits > rsaBitsMax)
    throw new Error(`is an RSA key of ${bits} bits; allowed: ${rsaBitsMin} to ${rsaBitsMax}`);
  if (exponent < exponentMin || exponent > exponentMax || exponent % 2n === 0n)
    throw new Error('is an RSA key with an exponent that no key has; usual: 65537');
}

/** RFC 4253 section 6.6: the name of the kind, the exponent, the modulus. */
function sshKey(text: string): KeyObject {
  let bytes = Buffer.from(text.split(/\s+/)[1] ?? '', 'base64');
  const next = (): Buffer => {
    const length = bytes.readUInt32BE(0);
    const field = bytes.subarray(4, 4 + length);
    if (field.length !== length) throw new Error('is cut off');
    bytes = bytes.subarray(4 + length);
    return field;
  };
  if (next().toString('latin1') !== 'ssh-rsa') throw new Error('is another kind');
  const [e, n] = [next(), next()].map((field) => field.toString('base64url'));
  return createPublicKey({ key: withoutAbsent({ kty: 'RSA', e, n }), format: 'jwk' });
}
