import type { PlanDefinition } from '../../proto/model/api.ts';
import {
  decodeApi,
  decodeApiKey,
  decodeSubscription,
  type SubscriptionPayload,
} from '../../proto/wire/payloads.ts';
import { readDefinition } from '../gateway/deploy/definitions.ts';
import type { LocalRecord } from './records.ts';

/** A subscription that lets nobody in. */
interface IdleSubscription {
  readonly file: string;
  readonly message: string;
}

/**
 * Subscriptions that let nobody in, most likely by a slip: to what is not among the files, or without what their plan asks for. Their callers
 * would be refused, and nobody would say why.
 */
export function idleSubscriptions(records: readonly LocalRecord[]): readonly IdleSubscription[] {
  const plans = new Map(
    recordsOf('api', records).map(({ id, payload }) => [
      id,
      readDefinition(decodeApi(payload).definition).api.plans,
    ]),
  );
  const withKey = new Set(
    recordsOf('api-key', records).flatMap(({ payload }) => decodeApiKey(payload).subscriptions),
  );
  return recordsOf('subscription', records).flatMap(({ id, payload, file }) => {
    const why = whyIdle(decodeSubscription(payload), { plans, withKey });
    return why === undefined ? [] : [{ file, message: `subscription "${id}": ${why}` }];
  });
}

function recordsOf(kind: LocalRecord['kind'], records: readonly LocalRecord[]): readonly LocalRecord[] {
  return records.filter((record) => record.kind === kind);
}

function whyIdle(
  subscription: SubscriptionPayload,
  known: {
    readonly plans: ReadonlyMap<string, readonly PlanDefinition[]>;
    readonly withKey: ReadonlySet<string>;
  },
): string | undefined {
  const { api, plan } = subscription;
  const plans = known.plans.get(api);
  if (plans === undefined)
    return `the API "${api}" is not among those that are served${listed([...known.plans.keys()])}`;
  const type = plans.find(({ id }) => id === plan)?.security.type;
  if (type === undefined)
    return `the API "${api}" has no published plan "${plan}"${listed(plans.map(({ id }) => id))}`;
  if (type === 'api-key' && !known.withKey.has(subscription.id))
    return 'has no apiKeys, by which its plan finds it';
  if ((type === 'jwt' || type === 'oauth2') && subscription.clientId === undefined)
    return 'has no clientId, by which its plan finds it';
  if (type === 'mtls' && (subscription.certificates ?? []).length === 0)
    return 'has no clientCertificate, by which its plan finds it';
  return undefined;
}

/** Some of the names there are: an id that nobody wrote is made of a file or a manifest. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(', ');
  return names.length === 0 ? '' : `; there are: ${shown}${names.length > namesMax ? ' ...' : ''}`;
}

const namesMax = 10;
