import { needsOf } from '../../proto/expression/template.ts';
import { isSecretHeader } from '../../proto/model/secrets/names.ts';
import { setMetric } from './custom-metrics.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

/** A shorter value is a word that may stand anywhere: hiding it everywhere would tell it. */
const secretCharsMin = 8;
/** Values of headers that are looked for in a metric; a caller may send many. */
const secretsMax = 64;

/** Puts metrics into the record; what fails or comes to nothing sets nothing. */
export const assignMetrics: PolicyFactory<'policy-assign-metrics'> = ({ metrics }, { place }) => {
  const needs = needsOf(metrics.map(({ value }) => value));
  const run = (call: PolicyCall): Verdict => {
    for (const { name, value } of metrics) {
      const rendered = value.render(call);
      if (rendered.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${rendered.why}`);
      if (rendered.kind !== 'value') continue;
      // A constant quotes nobody.
      setMetric(
        call,
        name,
        value.kind === 'constant' ? rendered.value : withoutSecrets(rendered.value, call),
      );
    }
    return CONTINUE;
  };
  return place.phase === 'request' ? { request: { needs, run } } : { response: { needs, run } };
};

/** A record goes further than its request: what let the caller in does not stand in it. */
function withoutSecrets(text: string, { request, attributes }: PolicyCall): string {
  const secrets = new Set<string>();
  const add = (secret: unknown): void => {
    if (typeof secret === 'string' && secret.length >= secretCharsMin && secrets.size < secretsMax)
      secrets.add(secret);
  };
  for (const name of ['api-key', 'jwt.token', 'oauth.access_token']) add(attributes.get(name));
  request.headers.forEach((name, value) => {
    if (!isSecretHeader(name)) return;
    add(value);
    for (const part of value.split(/[;\s]+/)) add(part.slice(part.indexOf('=') + 1));
  });
  return [...secrets]
    .toSorted((one, other) => other.length - one.length)
    .reduce((shown, secret) => shown.replaceAll(secret, () => '***'), text);
}
