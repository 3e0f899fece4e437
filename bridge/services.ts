import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import type { UsedBucket } from '../proto/wire/blobs.ts';
import type { PublishedRepository } from '../proto/wire/published.ts';
import type { BridgeConfig } from './config.ts';
import type { Events } from './admission/events.ts';
import type { Feeds } from './changes/feeds.ts';

/** What deploy hands to the bridge; it opens nothing itself but its port. */
export interface BridgeOptions {
  readonly config: BridgeConfig;
  readonly repository: PublishedRepository;
  readonly blobs: UsedBucket;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** This program's version. */
  readonly version: string;
  /** URLs that gateways dial, beside `publicUrls`, once the port is known; `up` knows the names of its machine. */
  readonly urlsOf?: (port: number) => readonly string[];
}

/** What the parts of the bridge share. */
export interface Services extends BridgeOptions {
  readonly feeds: Feeds;
  readonly events: Events;
  /** Aborts when the bridge closes. */
  readonly signal: AbortSignal;
}
