import { LRUCache } from 'lru-cache';
import type { BridgeOptions } from './services.ts';

/** Tells operators what a gateway did that it should not; an attack cannot flood the database with events. */
export interface Events {
  /** Saves an event unless the same kind was saved for that gateway a moment ago; counted either way. */
  report(event: { readonly gateway: string; readonly kind: EventKind; readonly detail: string }): void;
}

/** Kinds of events that the bridge reports. */
export type EventKind =
  | 'identity.cloned'
  | 'assertion.replayed'
  | 'assertion.bad_signature'
  | 'assertion.wrong_audience'
  | 'grant.environment_refused'
  | 'grant.tag_refused'
  | 'upload.wrong_tenant'
  | 'upload.hash_mismatch'
  | 'upload.conflict';

const quietMs = 10_000;
const rememberedMax = 10_000;

/** Makes the one place where events pass. */
export function createEvents({ repository, log, clock, metrics }: BridgeOptions): Events {
  const counter = metrics.counter('isthmus_bridge_events_total', 'What gateways did that they should not.', [
    'kind',
  ]);
  const recent = new LRUCache<string, number>({ max: rememberedMax });
  return {
    report(event) {
      counter.inc({ kind: event.kind });
      const key = `${event.kind}\0${event.gateway}\0${event.detail}`;
      const savedAtMs = recent.get(key);
      if (savedAtMs !== undefined && clock.monotonicMs() - savedAtMs < quietMs) return;
      recent.set(key, clock.monotonicMs());
      log.warn(event, 'gateway event');
      repository.saveEvent({ ...event, atMs: clock.now() }).catch((error: unknown) => {
        recent.delete(key);
        log.error({ err: error, event }, 'the event could not be saved');
      });
    },
  };
}
