import { constants, type KeyObject, verify, X509Certificate } from 'node:crypto';

import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from '../policy.ts';

/** How far the clocks of a signer and ours may be apart. */
const skewMs = 60_000;
const headerCharsMax = 65_536;

type Fields = Readonly<Record<string, unknown>>;

/** Verifies the signature that a body is. */
export const jws: PolicyFactory<'jws'> = ({ checkCertificateValidity }, { refuse, host }) => {
  const invalid = refuse('JWS_INVALID');
  const { jwsKeys } = host.ground;
  return {
    request: {
      needs: 'buffered',
      run({ request, startedAtMs }: PolicyCall) {
        const text = Buffer.from(request.content ?? [])
          .toString('latin1')
          .trim();
        const [, head = '', payload = '', signature = ''] = /^([\w-]+)\.([\w-]*)\.([\w-]+)$/.exec(text) ?? [];
        const header = head.length > headerCharsMax ? undefined : fieldsOf(head);
        if (header === undefined || !isKnownKind(header)) return invalid;
        const { kid = 'default' } = header;
        const key = typeof kid === 'string' ? jwsKeys.get(kid) : undefined;
        const certificate = certificateOf(header);
        if (key === undefined || certificate?.publicKey.equals(key) !== true) return invalid;
        if (checkCertificateValidity && !isInDate(certificate, startedAtMs)) return invalid;
        const signed = Buffer.from(`${head}.${payload}`, 'latin1');
        if (!isSignedBy(key, { header, signed, signature })) return invalid;
        return isInTime(fieldsOf(payload), startedAtMs) ? CONTINUE : invalid;
      },
    },
  };
};

/** Undefined for what is no JSON object. */
function fieldsOf(part: string): Fields | undefined {
  const text = Buffer.from(part, 'base64url').toString();
  if (isNestedDeeper(text)) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7515 section 4.1: `crit` names what has to be understood, and we understand nothing more. */
function isKnownKind({ typ, cty, crit }: Fields): boolean {
  const isType = typ === undefined || (typeof typ === 'string' && /^(?:JOSE\+)?JSON$/i.test(typ));
  const isContent = cty === undefined || (typeof cty === 'string' && /^json$/i.test(cty));
  return isType && isContent && crit === undefined;
}

function certificateOf({ x5c }: Fields): X509Certificate | undefined {
  const first: unknown = Array.isArray(x5c) ? x5c[0] : undefined;
  if (typeof first !== 'string') return undefined;
  try {
    return new X509Certificate(Buffer.from(first, 'base64'));
  } catch {
    return undefined;
  }
}

const isInDate = ({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean =>
  validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();

function isSignedBy(
  key: KeyObject,
  {
    header,
    signed,
    signature,
  }: { readonly header: Fields; readonly signed: Buffer; readonly signature: string },
): boolean {
  const [, family, bits] = /^([RP]S)(256|384|512)$/.exec(String(header['alg'])) ?? [];
  if (family === undefined) return false;
  const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  const padding = family === 'RS' ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING;
  const options = { key, padding, ...(family === 'PS' && { saltLength: RSA_PSS_SALTLEN_DIGEST }) };
  return verify(`sha${bits}`, signed, options, Buffer.from(signature, 'base64url'));
}

/** A time that is none is over. */
function isInTime(payload: Fields | undefined, nowMs: number): boolean {
  const { exp, nbf } = payload ?? {};
  const isOver = exp !== undefined && !(typeof exp === 'number' && nowMs < exp * 1_000 + skewMs);
  const isToCome = nbf !== undefined && !(typeof nbf === 'number' && nowMs >= nbf * 1_000 - skewMs);
  return !isOver && !isToCome;
}
