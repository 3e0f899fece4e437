import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { sourceOfAddress } from '../../../proto/process/peers.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from '../policy.ts';
import { type Entered, Places } from './places.ts';

/** The place that a request holds; steps behind may change what it was found by. */
interface Held {
  key: string;
  places: Places | undefined;
}

/** Lets so many requests through at once. */
export const concurrencyLimit: PolicyFactory<'concurrency-limit', Held> = (config, { refuse, host }) => {
  const { limit, per, queue } = config;
  const reached = refuse('CONCURRENCY_LIMIT_REACHED', { parameters: { limit } });
  const late = refuse('CONCURRENCY_LIMIT_QUEUE_TIMEOUT', { parameters: { limit, wait_ms: queue.waitMs } });
  const options = {
    placesMax: limit,
    waitersMax: queue.max,
    waitMsMax: queue.waitMs,
    clock: host.clock,
  };
  /** Those that somebody holds or waits for, so no more than there are requests. */
  const byKey = new Map<string, Places>();
  const placesOf = (key: string): Places => {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const made = new Places(options);
    byKey.set(key, made);
    return made;
  };
  const forget = (key: string, places: Places): void => {
    if (places.isEmpty && byKey.get(key) === places) byKey.delete(key);
  };
  return {
    slot: () => ({ key: '', places: undefined }),
    request: {
      needs: 'head',
      run(call, held): Verdict | Promise<Verdict> {
        const key = keyOf(call, per);
        const places = placesOf(key);
        const judge = (entered: Entered): Verdict => {
          if (entered === 'in') {
            held.key = key;
            held.places = places;
            return CONTINUE;
          }
          forget(key, places);
          return entered === 'full' ? reached : late;
        };
        const entered = places.enter(call);
        return entered instanceof Promise ? entered.then(judge) : judge(entered);
      },
    },
    end(_call, _outcome, { key, places }) {
      if (places === undefined) return;
      places.leave();
      forget(key, places);
    },
  };
};

function keyOf({ attributes, request }: PolicyCall, per: PolicyConfig<'concurrency-limit'>['per']): string {
  if (per === 'API') return '';
  const plan = textOf(attributes.get('plan')) ?? '';
  if (per === 'PLAN') return plan;
  const caller = textOf(attributes.get('subscription-id')) ?? sourceOfAddress(request.remoteAddress);
  return `${plan.length}:${plan}:${caller}`;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
