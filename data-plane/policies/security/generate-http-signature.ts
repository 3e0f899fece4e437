import { createHmac } from 'node:crypto';

import { needsOf, type Template } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Rejection, type Verdict } from '../policy.ts';

type Config = PolicyConfig<'generate-http-signature'>;

const digests = {
  HMAC_SHA1: 'sha1',
  HMAC_SHA256: 'sha256',
  HMAC_SHA384: 'sha384',
  HMAC_SHA512: 'sha512',
} as const;

/** What is signed of one phase. */
interface Message {
  readonly headers: HeaderList;
  /** Undefined where it is not signed. */
  readonly body: Uint8Array | undefined;
}

const nothing = new Uint8Array();

/** Signs requests, or answers. */
export const generateHttpSignature: PolicyFactory<'generate-http-signature'> = (
  config,
  { refuse, place },
) => {
  const impossible = (why: string, status?: number): Rejection =>
    refuse('HTTP_SIGNATURE_IMPOSSIBLE_GENERATION', {
      parameters: { why },
      ...(status === undefined ? {} : { status }),
    });
  const isHeaderSigned = config.signHeaders && config.headers.length > 0;
  const names = (isHeaderSigned ? config.headers : ['Date']).map((name) => name.toLowerCase());
  const signedNames = config.signHeaders ? names : [];
  const sign = (call: PolicyCall, { headers, body }: Message): Verdict => {
    const missing = signedNames.filter((name) => !headers.has(name));
    if (missing.length > 0) return impossible(`those headers are missing: ${missing.join(', ')}`);
    const front = body === undefined ? '' : frontOf(config, headers);
    if (typeof front === 'object')
      return refuse('HTTP_SIGNATURE_ADDITIONAL_HEADERS_NOT_VALID', { parameters: front });
    const keyId = rendered(config.keyId, call);
    const secret = rendered(config.secret, call);
    if (keyId === undefined || secret === undefined)
      return impossible(`${keyId === undefined ? 'keyId' : 'secret'} comes to nothing`, 500);
    const createdS = Math.floor(call.startedAtMs / 1_000);
    const lines = [
      ...targetLine(call, config),
      ...signedNames.map((name): Line => [name, headers.getAll(name).join(', ')]),
      ...(config.created ? [['(created)', `${createdS}`] satisfies Line] : []),
      ...(config.expires ? [['(expires)', `${createdS + config.validityDuration}`] satisfies Line] : []),
    ];
    const digest = digests[config.algorithm];
    const hmac = createHmac(digest, secret);
    if (body !== undefined) hmac.update(front, 'latin1').update(body);
    if (body !== undefined && lines.length > 0) hmac.update('\n');
    const signature = hmac
      .update(lines.map(([name, value]) => `${name}: ${value}`).join('\n'), 'latin1')
      .digest('base64');
    const parameters = [
      `keyId="${keyId}"`,
      `algorithm="hmac-${digest}"`,
      ...(config.created ? [`created=${createdS}`] : []),
      ...(config.expires ? [`expires=${createdS + config.validityDuration}`] : []),
      `headers="${lines.map(([name]) => name).join(' ')}"`,
      `signature="${signature}"`,
    ].join(',');
    if (config.scheme === 'AUTHORIZATION') headers.set('Authorization', `Signature ${parameters}`);
    else headers.set(config.scheme === 'SIGNATURE' ? 'Signature' : config.targetSignatureHeader, parameters);
    return CONTINUE;
  };
  if (place.phase === 'response')
    return {
      response: {
        needs: 'buffered',
        run: (call) => sign(call, { headers: call.response.headers, body: call.response.content ?? nothing }),
      },
    };
  return {
    request: {
      needs: config.signPayload ? 'buffered' : needsOf([config.keyId, config.secret]),
      run: (call: PolicyCall) =>
        sign(call, {
          headers: call.request.headers,
          body: config.signPayload ? (call.request.content ?? nothing) : undefined,
        }),
    },
  };
};

type Line = readonly [name: string, value: string];

function targetLine({ request }: PolicyCall, { signMethod, signUri }: Config): readonly Line[] {
  if (!signMethod && !signUri) return [];
  const uri = request.query === undefined ? request.path : `${request.path}?${request.query}`;
  const parts = [signMethod ? request.method.toLowerCase() : '', signUri ? uri : ''];
  return [['(request-target)', parts.filter((part) => part !== '').join(' ')]];
}

/** What is signed in front of a body, or why there is none. */
function frontOf(
  { prependHeadersToBody, headers: names, headersDelimiter }: Config,
  headers: HeaderList,
): string | { readonly why: string } {
  if (!prependHeadersToBody) return '';
  if (names.length === 0) return { why: 'prependHeadersToBody asks for headers, and none is named' };
  const lower = names.map((name) => name.toLowerCase());
  const missing = lower.filter((name) => !headers.has(name));
  if (missing.length > 0) return { why: `those headers are missing: ${missing.join(', ')}` };
  return lower.map((name) => `${headers.get(name) ?? ''}${headersDelimiter}`).join('');
}

/** Undefined for what fails, which warns, and for nothing. */
function rendered(template: Template<string>, call: PolicyCall): string | undefined {
  const value = template.render(call);
  if (value.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', value.why);
  return value.kind === 'value' ? value.value : undefined;
}
