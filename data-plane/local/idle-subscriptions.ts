import type { PlanDefinition } from '../../proto/model/api.ts';
import { decodeApi, decodeApiKey, decodeSubscription } from '../../proto/wire/payloads.ts';
import { readDefinition } from '../gateway/deploy/definitions.ts';
import type { LocalRecord } from './records.ts';

/** A subscription that lets nobody in. */
interface IdleSubscription {
  readonly file: string;
  /** '': where in its file it stands is not known. */
  readonly path: '';
  readonly message: string;
}

/**
 * Subscriptions that let nobody in, most likely by a slip: {@link lostSubscriptions}, and those without what their plan asks for. Their
 * callers would be refused, and nobody would say why.
 */
export function idleSubscriptions(
  records: readonly LocalRecord[],
  unserved: ReadonlySet<string>,
): readonly IdleSubscription[] {
  const apis = apisOf(records);
  const withKey = new Set(
    records.flatMap(({ kind, payload }) => (kind === 'api-key' ? decodeApiKey(payload).subscriptions : [])),
  );
  return told(
    records,
    (to, record) => whyLost(to, { apis, unserved }) ?? whyUnfound(to, { record, apis, withKey }),
  );
}

/** Subscriptions to an API that is not among the records and not `unserved` either, or to a plan that its API does not serve. */
export function lostSubscriptions(
  records: Iterable<LocalRecord>,
  unserved: ReadonlySet<string>,
): readonly IdleSubscription[] {
  const all = [...records];
  const apis = apisOf(all);
  return told(all, (to) => whyLost(to, { apis, unserved }));
}

type To = NonNullable<LocalRecord['to']>;
type Apis = ReadonlyMap<string, LocalRecord>;

function apisOf(records: readonly LocalRecord[]): Apis {
  return new Map(records.flatMap((record) => (record.kind === 'api' ? [[record.id, record]] : [])));
}

function told(
  records: readonly LocalRecord[],
  why: (to: To, record: LocalRecord) => string | undefined,
): readonly IdleSubscription[] {
  return records.flatMap((record) => {
    const message = record.to === undefined ? undefined : why(record.to, record);
    return message === undefined
      ? []
      : [{ file: record.file, path: '' as const, message: `subscription "${record.id}": ${message}` }];
  });
}

function whyLost(
  { api, plan }: To,
  { apis, unserved }: { readonly apis: Apis; readonly unserved: ReadonlySet<string> },
): string | undefined {
  const record = apis.get(api);
  if (record === undefined)
    return unserved.has(api)
      ? undefined
      : `the API "${api}" is not among those that are served${listed([...apis.keys()])}`;
  const plans = plansOf(record);
  return plans === undefined || plans.some(({ id }) => id === plan)
    ? undefined
    : `the API "${api}" has no published plan "${plan}"${listed(plans.map(({ id }) => id))}`;
}

function whyUnfound(
  { api, plan }: To,
  known: { readonly record: LocalRecord; readonly apis: Apis; readonly withKey: ReadonlySet<string> },
): string | undefined {
  const { clientId, certificates = [] } = decodeSubscription(known.record.payload);
  const served = known.apis.get(api);
  const type = served && plansOf(served)?.find(({ id }) => id === plan)?.security.type;
  if (type === 'api-key' && !known.withKey.has(known.record.id))
    return 'has no apiKeys, by which its plan finds it';
  if ((type === 'jwt' || type === 'oauth2') && clientId === undefined)
    return 'has no clientId, by which its plan finds it';
  if (type === 'mtls' && certificates.length === 0)
    return 'has no clientCertificate, by which its plan finds it';
  return undefined;
}

/** As long as its file stays, its record does. */
const plansByRecord = new WeakMap<LocalRecord, readonly PlanDefinition[] | undefined>();

/** Undefined for an API that is refused, which is told of by itself. */
function plansOf(record: LocalRecord): readonly PlanDefinition[] | undefined {
  if (!plansByRecord.has(record)) plansByRecord.set(record, readPlans(record));
  return plansByRecord.get(record);
}

function readPlans({ payload }: LocalRecord): readonly PlanDefinition[] | undefined {
  try {
    return readDefinition(decodeApi(payload).definition).api.plans;
  } catch {
    return undefined;
  }
}

/** Some of the names there are: an id that nobody wrote is made of a file or a manifest. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(', ');
  return names.length === 0 ? '' : `; there are: ${shown}${names.length > namesMax ? ' ...' : ''}`;
}

const namesMax = 10;
