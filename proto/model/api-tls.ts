import { z } from 'zod';

import { apiLimits } from './api-limits.ts';
import { secret } from './secrets/mark.ts';
import { off, section } from './sections.ts';
import { markAtDeploy, whyNotAtDeploy } from './deploy/at-deploy.ts';
import { hasExpression } from '../expression/find.ts';

/**
 * How endpoints are reached and recognised: proxy, trust store, key store; names of the reference.
 *
 * A proxy that is not enabled and a store of type '' or NONE may hold whatever the console left in them: it is kept.
 */

/** They may hold expressions that are worked out at deploy; those are judged where the store or the proxy is in use. */
const short = markAtDeploy(z.string().max(apiLimits.nameCharsMax)).optional();
const long = markAtDeploy(z.string().max(apiLimits.pemCharsMax)).optional();
const hostName = /^(?:[A-Za-z0-9_.:-]+|\[[0-9A-Fa-f:.]+\])$/;

type Say = (field: string, message: string) => void;

const sayTo =
  (context: z.RefinementCtx): Say =>
  (field, message) =>
    context.addIssue({ code: 'custom', path: [field], message });

/** The proxy between the gateway and its endpoints. */
export const proxySchema = section({
  enabled: z.boolean().default(false),
  /** The proxy that the gateway's environment names in HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  useSystemProxy: z.boolean().default(false),
  type: z.enum(['HTTP', 'SOCKS4', 'SOCKS5']).default('HTTP'),
  host: short,
  port: z.int().min(0).max(65_535).optional(),
  username: short,
  password: secret(short),
}).superRefine((proxy, context) => {
  if (!proxy.enabled) return;
  const say = sayTo(context);
  if (proxy.useSystemProxy) {
    if (proxy.type !== 'HTTP')
      say(
        'type',
        `is not used by useSystemProxy, which is HTTP's; allowed: HTTP, or host and port of the ${proxy.type} proxy`,
      );
    return;
  }
  judgeExpressions(proxy, ['host', 'username', 'password'], say);
  if (!hasExpression(proxy.host ?? '') && !hostName.test(proxy.host ?? ''))
    say('host', 'must be a name or an address; allowed instead: useSystemProxy');
  if ((proxy.port ?? 0) === 0) say('port', 'is required; allowed: 1 to 65535');
  // RFC 7617 section 2: the first colon ends the user.
  const { username = '' } = proxy;
  if (proxy.type === 'HTTP' && !hasExpression(username) && username.includes(':'))
    say('username', 'must not hold a colon');
  if (proxy.type === 'SOCKS4' && (proxy.password ?? '') !== '')
    say('password', 'is not used by a SOCKS4 proxy; allowed: username alone, or SOCKS5');
  // RFC 1929 section 2.
  for (const field of ['username', 'password'] as const)
    if (proxy.type !== 'HTTP' && Buffer.byteLength(proxy[field] ?? '') > 255)
      say(field, 'must have at most 255 bytes for a SOCKS proxy');
});

/** Which authorities are trusted; none given: the public ones. */
const trustStoreSchema = section({
  type: z
    .enum(['', 'NONE', 'PEM', 'PKCS12'], { error: unsupportedStore() })
    .default('')
    .transform((type) => (type === 'NONE' ? '' : type)),
  /** PEM, or PKCS12 in base64. */
  content: long,
  /** As all paths: of a file on the gateway, read when the API is deployed there. */
  path: short,
  password: secret(short),
  alias: off('nothing: all certificates of a store are trusted'),
}).superRefine((store, context) => {
  if (store.type === '') return;
  const say = sayTo(context);
  checkSource(store, ['content', 'path'], say);
  if (store.type === 'PEM' && (store.password ?? '') !== '')
    say('password', 'is not used by a PEM store; allowed: nothing, PEM has no password');
  judgeExpressions(store, ['content', 'path', 'password'], say);
});

/** The certificate that endpoints are shown. */
const keyStoreSchema = section({
  type: z
    .enum(['', 'NONE', 'PEM', 'PKCS12'], { error: unsupportedStore() })
    .default('')
    .transform((type) => (type === 'NONE' ? '' : type)),
  certContent: long,
  certPath: short,
  keyContent: secret(long),
  keyPath: short,
  /** PKCS12 in base64. */
  content: secret(long),
  path: short,
  password: secret(short),
  alias: off('nothing: the store must hold one key'),
  keyPassword: secret(short),
}).superRefine((store, context) => {
  const say = sayTo(context);
  const unused = (fields: readonly (keyof typeof store)[], allowed: string): void => {
    for (const field of fields.filter((name) => (store[name] ?? '') !== ''))
      say(field, `is not used by a ${store.type} store; allowed: ${allowed}`);
  };
  if (store.type !== '') judgeExpressions(store, keyStoreTexts, say);
  if (store.type === 'PEM') {
    checkSource(store, ['certContent', 'certPath'], say);
    checkSource(store, ['keyContent', 'keyPath'], say);
    unused(['content', 'path'], 'certContent and keyContent, or certPath and keyPath');
    unused(['password', 'keyPassword'], 'an unencrypted key');
  }
  if (store.type === 'PKCS12') {
    checkSource(store, ['content', 'path'], say);
    unused(['certContent', 'certPath', 'keyContent', 'keyPath'], 'content or path, and password');
    if ((store.keyPassword ?? '') !== '' && store.keyPassword !== store.password)
      say('keyPassword', 'is not supported by this version; allowed: the same as password');
  }
});

/** How whoever answers by TLS is recognised, and what it is shown. */
export const sslSchema = section({
  hostnameVerifier: z.boolean().default(true),
  trustAll: z.boolean().default(false),
  trustStore: trustStoreSchema.prefault({}),
  keyStore: keyStoreSchema.prefault({}),
});

/** What is said of a type of store that is not among those allowed, with the way out where there is one. */
function unsupportedStore() {
  return ({ input }: { readonly input?: unknown }): string | undefined => {
    if (input === undefined) return undefined;
    const hint = input === 'JKS' ? ' (`keytool -importkeystore -deststoretype PKCS12` converts it)' : '';
    return `is not supported by this version; allowed: PEM, PKCS12, or empty for none${hint}`;
  };
}

const keyStoreTexts = [
  'certContent',
  'certPath',
  'keyContent',
  'keyPath',
  'content',
  'path',
  'password',
  'keyPassword',
] as const;

function judgeExpressions<Field extends string>(
  texts: Readonly<Partial<Record<Field, string | undefined>>>,
  fields: readonly Field[],
  say: Say,
): void {
  for (const field of fields) {
    const why = whyNotAtDeploy(texts[field] ?? '');
    if (why !== undefined) say(field, why);
  }
}

/** A text in the definition or the path of a file, not both. */
function checkSource<Field extends string>(
  store: Readonly<Partial<Record<Field, string | undefined>>>,
  [content, path]: readonly [Field, Field],
  say: Say,
): void {
  const [text = '', file = ''] = [store[content], store[path]];
  if (text === '' && file === '') say(content, `is required; allowed instead: ${path}`);
  if (text !== '' && file !== '') say(content, `is there beside ${path}; allowed: one of them`);
  if (file !== '' && !hasExpression(file) && (!file.startsWith('/') || file.includes('\0')))
    say(path, 'must be the absolute path of a file on the gateway');
}
