import { apiKey as schema } from '../../proto/policies/api-key.ts';
import type { ApiKeyPayload } from '../../proto/wire/payloads.ts';
import { createRefuse } from '../policies/refuse.ts';
import { isKeyInForce, type PresentedKey } from './api-keys.ts';
import { keysDiffer, presentedKey, withoutKey } from './key-places.ts';
import { type Admission, isChosen, passed, type PlanSecurity, type SecurityKind } from './security.ts';
import { isInForce } from './subscriptions.ts';
import { tokenInHeader } from './tokens/bearer.ts';

/** Longest key that is looked at; a longer one is unknown. */
const keyCharsMax = 1_024;

/** What let a caller in. */
interface Proof {
  readonly key: ApiKeyPayload;
  /** The key itself, for steps alone: nothing keeps it, and log lines mask it wherever it is repeated. */
  readonly presented: string;
}

const refuse = createRefuse(schema.errors);
const missing = refuse('API_KEY_MISSING');
const invalid = refuse('API_KEY_INVALID');

/** An API key in a header or in the query: found by its hash, it names its subscriptions. */
export const apiKey: SecurityKind<'api-key'> = {
  order: 500,
  recordedAs: 'API_KEY',
  isOpen: false,
  create(
    { propagateApiKey, source, apiKeyHeader },
    { keyPlaces: ofGateway },
  ): PlanSecurity<string | typeof keysDiffer, Proof> {
    const keyPlaces = {
      header: source === 'HEADER' ? apiKeyHeader.toLowerCase() || ofGateway.header : '',
      parameter: source === 'BEARER' ? '' : ofGateway.parameter,
    };
    return {
      refusals: { missing, invalid },
      secretHeaders: keyPlaces.header === '' ? [] : [keyPlaces.header],
      present: ({ headers, query }) =>
        source === 'BEARER' ? tokenInHeader(headers) : presentedKey({ headers, query }, keyPlaces),
      admit(presented, plan, knock) {
        const { api, subscriptions, nowMs } = knock;
        if (!isChosen(plan, knock, () => [['api-key', presented]])) return passed;
        if (presented === '')
          return { kind: 'refused', refusal: missing, keyHash8: undefined, isFinal: false };
        if (presented === keysDiffer) return refused(undefined);
        const found = presented.length > keyCharsMax ? undefined : subscriptions.keys.find(presented);
        if (found === undefined) return refused(undefined);
        const { hash8 } = found;
        for (let each: PresentedKey | undefined = found; each !== undefined; each = each.next) {
          const { key } = each;
          if (!isKeyInForce(key, nowMs)) continue;
          for (const id of key.subscriptions) {
            const subscription = subscriptions.get(id);
            if (subscription === undefined || subscription.plan !== plan.id || subscription.api !== api)
              continue;
            if (isInForce(subscription, nowMs))
              return { kind: 'admitted', plan, subscription, proof: { key, presented }, keyHash8: hash8 };
          }
        }
        return refused(hash8);
      },
      *attributes({ presented }) {
        yield ['api-key', presented];
      },
      review({ key }, { subscription, subscriptions, nowMs }) {
        const now = subscriptions.keys.get(key.id);
        const isSame = now !== undefined && Buffer.compare(now.hash, key.hash) === 0;
        const opens = subscription !== undefined && now?.subscriptions.includes(subscription.id) === true;
        if (!isSame || !opens || !isKeyInForce(now, nowMs))
          return { reason: 'the key is revoked or has expired', errorKey: invalid.key };
        return now.expireAtMs ?? Infinity;
      },
      ...(!propagateApiKey && {
        hide(request) {
          if (source === 'BEARER') request.headers.delete('authorization');
          request.query = withoutKey(request.headers, request.query, keyPlaces);
        },
      }),
    };
  },
};

function refused(keyHash8: string | undefined): Admission<never, never> {
  return { kind: 'refused', refusal: invalid, keyHash8, isFinal: false };
}
