import type { TokenAlgorithm, TokenKey } from './token-keys.ts';

/** A compact JWS with JSON claims (RFC 7519), read and not verified: whoever sent it may say in it what he likes. */
export interface SignedToken {
  readonly token: string;
  /** What of the header counts here; where a key could be fetched from, or the key itself, is not looked at (RFC 8725 section 3.10). */
  readonly kid: string | undefined;
  readonly typ: string | undefined;
  readonly claims: TokenClaims;
}

/** As the issuer wrote them; read them by own properties only. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** Longest token that is looked at. */
const tokenCharsMax = 16_384;
/** Most keys that one token without `kid` is tried with. */
const keysPerTokenMax = 8;

/**
 * Reads a token; undefined for what is none, or is signed in another way than this algorithm.
 *
 * Each part must be the one spelling of its bytes: a token in two spellings would be two for whoever remembers or revokes them. Headers that
 * must be understood (`crit`, RFC 7515 section 4.1.11) are none of ours.
 */
export function readSignedToken(token: string, algorithm: TokenAlgorithm): SignedToken | undefined {
  if (token.length > tokenCharsMax) return undefined;
  const [head = '', payload = '', signature = '', ...more] = token.split('.');
  if (more.length > 0 || signature === '') return undefined;
  const header = jsonOf(head);
  const claims = jsonOf(payload);
  if (header === undefined || claims === undefined || bytesOf(signature) === undefined) return undefined;
  const { alg, kid, typ } = header;
  if (alg !== algorithm || Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return undefined;
  if ((kid !== undefined && typeof kid !== 'string') || (typ !== undefined && typeof typ !== 'string'))
    return undefined;
  return { token, kid, typ, claims };
}

/** The first of the keys that signed a token; undefined when none did. Keys of another algorithm than the token's are not tried. */
export async function signerOf(
  { token }: SignedToken,
  keys: readonly TokenKey[],
): Promise<TokenKey | undefined> {
  // Some forty modules, which a gateway that verifies no token never loads; the second time costs little beside a signature.
  const { compactVerify } = await import('jose');
  for (const each of keys.slice(0, keysPerTokenMax)) {
    try {
      await compactVerify(token, each.key, { algorithms: [each.algorithm] });
      return each;
    } catch {
      // Not by this one.
    }
  }
  return undefined;
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = bytesOf(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what base64url would not have written (RFC 7515 section 2). */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}
