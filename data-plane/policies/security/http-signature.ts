import { createHmac, timingSafeEqual } from 'node:crypto';

import { withVariables } from '../../../proto/expression/scope.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type PolicyRequest } from '../policy.ts';

/** Longest header that is read, and most headers that one signature covers. */
const headerCharsMax = 8_192;
const signedHeadersMax = 50;

const digests = {
  HMAC_SHA1: 'sha1',
  HMAC_SHA256: 'sha256',
  HMAC_SHA384: 'sha384',
  HMAC_SHA512: 'sha512',
} as const;

type Digest = (typeof digests)[keyof typeof digests];
type Config = PolicyConfig<'http-signature'>;

/** What a caller says of his signature. */
interface Signature {
  readonly keyId: string;
  /** In lower case. */
  readonly algorithm: string;
  readonly headers: readonly string[];
  readonly signature: string;
  /** Seconds since 1970, as written. */
  readonly created: string | undefined;
  readonly expires: string | undefined;
}

/** Compares signatures of requests with those that the secret makes. */
export const httpSignature: PolicyFactory<'http-signature'> = (config, { refuse }) => {
  const refused = refuse('HTTP_SIGNATURE_INVALID_SIGNATURE');
  const taken = (
    config.algorithms.length === 0 ? (Object.keys(digests) as (keyof typeof digests)[]) : config.algorithms
  ).map((name) => digests[name]);
  const enforced = config.enforceHeaders.map((name) => name.toLowerCase());
  return {
    request: {
      needs: config.secret.kind === 'varying' ? config.secret.needs : 'head',
      run(call: PolicyCall) {
        const text = textOf(call.request, config.scheme);
        const said = text === undefined ? undefined : readSignature(text, config.strictMode);
        if (said === undefined || !enforced.every((name) => said.headers.includes(name))) return refused;
        if (!isInTime(said, config, call.startedAtMs)) return refused;
        const signed = signedText(call.request, said);
        const given = bytesOf(said, config);
        const candidates = taken.filter((digest) => isNamed(said.algorithm, digest));
        if (signed === undefined || given === undefined || candidates.length === 0) return refused;
        const secret = config.secret.render(withVariables(call, new Map([['keyId', said.keyId]])));
        if (secret.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', secret.why);
        if (secret.kind !== 'value') return refused;
        return candidates.some((digest) => isSignedBy(secret.value, { digest, signed, given }))
          ? CONTINUE
          : refused;
      },
    },
  };
};

/** What follows the scheme; undefined where there is none, or two. */
function textOf({ headers }: PolicyRequest, scheme: Config['scheme']): string | undefined {
  const [text, another] = headers.getAll(scheme.toLowerCase());
  if (text === undefined || another !== undefined || text.length > headerCharsMax) return undefined;
  const bare = /^signature\s+(.*)$/is.exec(text)?.[1];
  return scheme === 'AUTHORIZATION' ? bare : (bare ?? text);
}

function readSignature(text: string, isStrict: boolean): Signature | undefined {
  const said = new Map<string, string>();
  const parameter = /\s*([a-z]+)=(?:"([^"]*)"|([^",\s]*))\s*(?:,|$)/iy;
  while (parameter.lastIndex < text.length) {
    const [whole, name = '', quoted, bare = ''] = parameter.exec(text) ?? [];
    if (whole === undefined || said.has(name)) return undefined;
    const isNumber = name === 'created' || name === 'expires';
    if (isStrict && quoted === undefined && !isNumber) return undefined;
    said.set(name, quoted ?? bare);
  }
  const [keyId = '', signature = ''] = [said.get('keyId'), said.get('signature')];
  const created = said.get('created');
  const listed = said.get('headers') ?? (created === undefined ? 'date' : '(created)');
  const headers = listed.trim().toLowerCase().split(/\s+/);
  if (keyId === '' || signature === '' || listed.trim() === '' || headers.length > signedHeadersMax)
    return undefined;
  const algorithm = (said.get('algorithm') ?? 'hs2019').toLowerCase();
  return { keyId, algorithm, headers, signature, created, expires: said.get('expires') };
}

function isInTime({ created, expires }: Signature, { clockSkew }: Config, nowMs: number): boolean {
  if (clockSkew === 0) return true;
  const areTimes = [created, expires].every(
    (time) => time === undefined || /^\d{1,15}(?:\.\d{1,9})?$/.test(time),
  );
  return (
    areTimes &&
    (created === undefined || Number(created) * 1_000 <= nowMs + clockSkew * 1_000) &&
    (expires === undefined || Number(expires) * 1_000 > nowMs)
  );
}

/** The lines that are signed; undefined where a header of them is not there. */
function signedText({ method, path, headers }: PolicyRequest, said: Signature): string | undefined {
  const lines: string[] = [];
  for (const name of said.headers) {
    const value =
      name === '(request-target)'
        ? `${method.toLowerCase()} ${path}`
        : name === '(created)'
          ? said.created
          : name === '(expires)'
            ? said.expires
            : headers.has(name)
              ? headers.getAll(name).join(', ')
              : undefined;
    if (value === undefined) return undefined;
    lines.push(`${name}: ${value}`);
  }
  return lines.join('\n');
}

function bytesOf({ signature }: Signature, { decodeSignature }: Config): Buffer | undefined {
  try {
    return Buffer.from(decodeSignature ? decodeURIComponent(signature) : signature, 'base64');
  } catch {
    return undefined;
  }
}

const isNamed = (algorithm: string, digest: Digest): boolean =>
  algorithm === 'hs2019' || algorithm === `hmac-${digest}`;

function isSignedBy(
  secret: string,
  { digest, signed, given }: { readonly digest: Digest; readonly signed: string; readonly given: Buffer },
): boolean {
  const made = createHmac(digest, secret).update(signed, 'latin1').digest();
  return made.length === given.length && timingSafeEqual(made, given);
}
