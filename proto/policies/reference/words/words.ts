import type { PolicyId } from '../../catalog.ts';
import { contentWords } from './content.ts';
import { resourceWords } from './resources.ts';
import { securityWords } from './security.ts';
import { trafficWords } from './traffic.ts';

/** Sentences by policy or resource and place; `*` stands for what comes before the last part. */
export type FieldWords<Id extends string = PolicyId> = Partial<Record<Id, Readonly<Record<string, string>>>>;

/** Fields that many policies have, by the end of their place. */
const common: readonly (readonly [end: string, words: string])[] = [
  ['useSystemProxy', "Whether the call goes through the proxy of the gateway's settings."],
  ['http.connectTimeout', 'How long a server may take to accept a connection, in ms.'],
  ['http.readTimeout', 'How long it may be silent, in ms.'],
  ['http.version', 'Version of HTTP.'],
  ['http.followRedirects', 'Whether a redirect is followed.'],
  ['maxConcurrentConnections', 'Calls at the same time, of each process.'],
  ['proxy.enabled', 'Whether the call goes through a proxy.'],
  ['proxy.type', 'What that proxy speaks.'],
  ['proxy.host', 'Its host.'],
  ['proxy.port', 'Its port.'],
  ['proxy.username', 'Name of the gateway there.'],
  ['proxy.password', 'Its password there.'],
  ['ssl.hostnameVerifier', 'Whether the certificate has to be for the host.'],
  ['ssl.trustAll', 'Whether any certificate is taken.'],
  ['ssl.trustStore', 'Whose certificates are taken.'],
  ['ssl.keyStore', 'Certificate and key that the gateway shows.'],
  ['useCustomIPAddress', 'Whether an expression says the address.'],
  ['customIPAddress', 'That expression.'],
  ['addHeaders', 'Whether callers are told in headers of their limit, and what is left of it.'],
  ['periodTime', 'Length of the period, in the unit below; less than 1 is 1.'],
  ['periodTimeUnit', 'The unit of that.'],
  ['useKeyOnly', 'Whether the key alone counts, whatever plan, subscription and API.'],
  ['key', 'What calls of a caller are told apart by; empty: nothing.'],
  ['strategy', 'How is counted, and what is done where nobody counts.'],
  ['extraction.type', 'Whose answers these are: where they say their usage.'],
  ['extraction.inputTokenPointer', 'Expression that finds tokens of the prompt, of CUSTOM.'],
  ['extraction.outputTokenPointer', 'The same of the answer.'],
  ['extraction.modelPointer', 'The same of the name of the model.'],
  ['pricing.type', 'Whether tokens have a price.'],
  ['inputPriceValue', 'What so many tokens of the prompt cost.'],
  ['outputPriceValue', 'What so many tokens of the answer cost.'],
  ['readContent', 'Whether the script reads the body.'],
  ['overrideContent', 'Whether it may replace the body.'],
  ['url', 'Address of the service.'],
  ['timeoutMs', 'How long the service may take, in ms.'],
  ['body', 'What the service is asked.'],
  ['sharedPolicyGroupId', 'Id of the group.'],
  ['hrid', 'Its name that people read; accepted, and not asked.'],
  ['headers', 'Headers of the call.'],
  ['[].name', 'Its name.'],
  ['[].value', 'Its value.'],
  ['[].regex', 'Its regular expression, which takes linear time.'],
];

const policyWords: FieldWords<string> = { ...securityWords, ...trafficWords, ...contentWords };

/** What a field of a policy is for; undefined where nobody says. */
export const wordsFor = (policy: string, path: string): string | undefined =>
  wordsIn(policyWords[policy], path);

/** The same of a resource. */
export const resourceWordsFor = (resource: string, path: string): string | undefined =>
  wordsIn((resourceWords as FieldWords<string>)[resource], path);

function wordsIn(own: FieldWords[PolicyId], path: string): string | undefined {
  const last = path.split('.').at(-1) ?? '';
  return (
    own?.[path] ??
    own?.[`*.${last}`] ??
    common.find(([end]) => path === end || path.endsWith(end.startsWith('[') ? end : `.${end}`))?.[1]
  );
}
