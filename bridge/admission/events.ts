import { LRUCache } from 'lru-cache';
import type { GatewayEventKind } from '../../proto/model/gateway-events.ts';
import type { BridgeOptions } from '../services.ts';

/** Tells operators what a gateway did that it should not; an attack cannot flood the database with events. */
export interface Events {
  /** Saves an event unless the same kind was saved for that gateway a moment ago; counted either way. */
  report(event: { readonly gateway: string; readonly kind: GatewayEventKind; readonly detail: string }): void;
}

const quietMs = 10_000;
const rememberedMax = 10_000;
/** Of one kind and gateway in the quiet time, however different their details; more are only counted. */
const savedMax = 10;

/** Makes the one place where events pass. */
export function createEvents({ repository, log, clock, metrics }: BridgeOptions): Events {
  const counter = metrics.counter('isthmus_bridge_events_total', 'What gateways did that they should not.', [
    'kind',
  ]);
  const recent = new LRUCache<string, { readonly sinceMs: number; readonly details: Set<string> }>({
    max: rememberedMax,
  });
  const isNews = (key: string, detail: string): boolean => {
    const nowMs = clock.monotonicMs();
    const known = recent.get(key);
    if (known === undefined || nowMs - known.sinceMs >= quietMs) {
      recent.set(key, { sinceMs: nowMs, details: new Set([detail]) });
      return true;
    }
    if (known.details.has(detail) || known.details.size >= savedMax) return false;
    known.details.add(detail);
    return true;
  };

  return {
    report(event) {
      counter.inc({ kind: event.kind });
      const key = `${event.kind}\0${event.gateway}`;
      if (!isNews(key, event.detail)) return;
      log.warn(event, 'gateway event');
      repository.saveEvent({ ...event, atMs: clock.now() }).catch((error: unknown) => {
        recent.delete(key);
        log.error({ err: error, event }, 'the event could not be saved');
      });
    },
  };
}
