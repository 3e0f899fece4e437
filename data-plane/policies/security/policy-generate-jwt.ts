import { createHmac, createPrivateKey, type KeyObject, randomUUID, sign, X509Certificate } from 'node:crypto';

import { needsOf, type Template } from '../../../proto/expression/template.ts';
import { shownValue } from '../../../proto/expression/values.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from '../policy.ts';

type Config = PolicyConfig<'policy-generate-jwt'>;

/** Weaker keys can be factored or guessed (RFC 7518 sections 3.2 and 3.3). */
const rsaBitsMin = 2_048;
const secretBytesMin = 32;

const algorithms = {
  RSA_RS256: { name: 'RS256', digest: 'sha256' },
  HMAC_HS256: { name: 'HS256', digest: 'sha256' },
  HMAC_HS384: { name: 'HS384', digest: 'sha384' },
  HMAC_HS512: { name: 'HS512', digest: 'sha512' },
} as const;

const secondsOf = { SECONDS: 1, MINUTES: 60, HOURS: 3_600, DAYS: 86_400 } as const;

/** An expression of a claim that failed. */
class BrokenClaim extends Error {}

/** Makes a token for each request; its head and its key are made once. */
export const generateJwt: PolicyFactory<'policy-generate-jwt'> = (config, { refuse, place }) => {
  const failure = refuse('GENERATE_JWT_FAILURE');
  const { header, signed } = attempt(() => signerOf(config), `${place.at}.configuration.content`);
  const lifeS = config.expiresIn * secondsOf[config.expiresInUnit];
  const { id, issuer, subject, audiences, customClaims } = config;
  const claimsOf = (call: PolicyCall): object => {
    const said = audiences.map((each) => textOf(each, call)).filter((each) => each !== undefined);
    const issuedAtS = Math.floor(call.startedAtMs / 1_000);
    const claims = new Map<string, unknown>([
      ['jti', textOf(id, call) ?? randomUUID()],
      ['iss', textOf(issuer, call)],
      ['aud', said.length > 1 ? said : said[0]],
      ['sub', textOf(subject, call)],
      ['iat', issuedAtS],
      ['exp', lifeS > 0 ? issuedAtS + lifeS : undefined],
    ]);
    for (const { name, value } of customClaims) {
      const evaluated = value.evaluate(call);
      if (evaluated.kind === 'failed') throw new BrokenClaim(`${name}: ${evaluated.why}`);
      if (evaluated.kind === 'value') claims.set(name, shownValue(evaluated.value));
    }
    return Object.fromEntries(claims);
  };
  return {
    request: {
      needs: needsOf([id, issuer, subject, ...audiences, ...customClaims.map(({ value }) => value)]),
      run(call: PolicyCall) {
        try {
          const text = `${header}.${encoded(JSON.stringify(claimsOf(call)))}`;
          call.attributes.set('jwt.generated', `${text}.${signed(text)}`);
          return CONTINUE;
        } catch (error) {
          if (!(error instanceof BrokenClaim)) throw error;
          call.warn('EXPRESSION_EVALUATION_ERROR', error.message);
          return failure;
        }
      },
    },
  };
};

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

/** Undefined for nothing, and for an empty text. */
function textOf(template: Template<string>, call: PolicyCall): string | undefined {
  const rendered = template.render(call);
  if (rendered.kind === 'failed') throw new BrokenClaim(rendered.why);
  return rendered.kind === 'value' && rendered.value !== '' ? rendered.value : undefined;
}

interface Signer {
  /** Encoded. */
  readonly header: string;
  readonly signed: (text: string) => string;
}

/** Errors: Error without anything of the key. */
function signerOf({ signature, content, kid, x509CertificateChain, secretBase64Encoded }: Config): Signer {
  const { name, digest } = algorithms[signature];
  const header = { alg: name, typ: 'JWT', ...(kid !== '' && { kid }) };
  if (signature !== 'RSA_RS256') {
    const secret = Buffer.from(content, secretBase64Encoded ? 'base64' : 'utf8');
    if (secret.length < secretBytesMin) throw new Error(`must have at least ${secretBytesMin} bytes`);
    return {
      header: encoded(JSON.stringify(header)),
      signed: (text) => createHmac(digest, secret).update(text).digest('base64url'),
    };
  }
  const key = privateKeyOf(content);
  const x5c = x509CertificateChain === 'X5C' ? chainOf(content, key) : undefined;
  return {
    header: encoded(JSON.stringify({ ...header, ...(x5c !== undefined && { x5c }) })),
    signed: (text) => sign(digest, Buffer.from(text), key).toString('base64url'),
  };
}

function privateKeyOf(content: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(content);
  } catch {
    throw new Error('is no private key in PEM that can be read without a password');
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error('must be a key of RSA');
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < rsaBitsMin)
    throw new Error(`must have at least ${rsaBitsMin} bits`);
  return key;
}

/** Certificates as `x5c` has them; the first is the key's. */
function chainOf(content: string, key: KeyObject): readonly string[] {
  const blocks = content.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const chain = blocks.map((block) => new X509Certificate(block));
  if (chain[0]?.checkPrivateKey(key) !== true)
    throw new Error("must hold the key's certificate too, and first, where x509CertificateChain is X5C");
  return chain.map(({ raw }) => raw.toString('base64'));
}

function attempt<Made>(make: () => Made, path: string): Made {
  try {
    return make();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Fault('request.invalid', { details: [{ path, message }] });
  }
}
