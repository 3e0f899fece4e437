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

const pathHint = 'Absolute, on the gateway';
const storeWords = { NONE: 'None', PEM: 'PEM', PKCS12: 'PKCS #12' };

type Say = (field: string, message: string) => void;

const sayTo =
  (context: z.RefinementCtx): Say =>
  (field, message) =>
    context.addIssue({ code: 'custom', path: [field], message });

/** The proxy between the gateway and its endpoints. */
export const proxySchema = section({
  enabled: z.boolean().default(false).meta({ title: 'Reach endpoints by a proxy' }),
  useSystemProxy: z.boolean().default(false).meta({
    title: 'The one of the environment of the gateway',
    description: 'As HTTP_PROXY, HTTPS_PROXY and NO_PROXY name it there',
  }),
  type: z
    .enum(['HTTP', 'SOCKS4', 'SOCKS5'])
    .default('HTTP')
    .meta({ title: 'Kind', words: { HTTP: 'HTTP', SOCKS4: 'SOCKS 4', SOCKS5: 'SOCKS 5' } }),
  host: short.meta({ title: 'Host' }),
  port: z.int().min(0).max(65_535).optional().meta({ title: 'Port' }),
  username: short.meta({ title: 'User name' }),
  password: secret(short).meta({ title: 'Password' }),
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
    .transform((type) => (type === 'NONE' ? '' : type))
    .meta({ title: 'Kind', words: { ...storeWords, '': 'None: public authorities are trusted' } }),
  content: long.meta({ title: 'Certificates', description: 'PEM, or PKCS #12 in base64' }),
  /** As all paths: of a file on the gateway, read when the API is deployed there. */
  path: short.meta({ title: 'Or the path of a file', description: pathHint }),
  password: secret(short).meta({ title: 'Password of the store' }),
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
    .transform((type) => (type === 'NONE' ? '' : type))
    .meta({ title: 'Kind', words: { ...storeWords, '': 'None: nothing is shown' } }),
  certContent: long.meta({ title: 'Certificate', description: 'PEM, of a PEM store' }),
  certPath: short.meta({ title: 'Or the path of its file', description: pathHint }),
  keyContent: secret(long).meta({ title: 'Key', description: 'PEM, of a PEM store, not encrypted' }),
  keyPath: short.meta({ title: 'Or the path of its file', description: pathHint }),
  content: secret(long).meta({ title: 'Store', description: 'Base64, of a PKCS #12 store' }),
  path: short.meta({ title: 'Or the path of its file', description: pathHint }),
  password: secret(short).meta({ title: 'Password of the store' }),
  alias: off('nothing: the store must hold one key'),
  keyPassword: secret(short).meta({
    title: 'Password of the key',
    description: 'The same as that of the store',
  }),
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
  hostnameVerifier: z.boolean().default(true).meta({ title: 'The certificate must be for the host' }),
  trustAll: z.boolean().default(false).meta({
    title: 'Trust every certificate',
    description: 'Whoever stands between gateway and backend can then read and change calls',
  }),
  trustStore: trustStoreSchema.prefault({}).meta({ title: 'Authorities that are trusted' }),
  keyStore: keyStoreSchema.prefault({}).meta({ title: 'Certificate that endpoints are shown' }),
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
