import type { EnvironmentRef, PublishedHead } from '../../proto/wire/published.ts';
import type { BridgeOptions } from '../services.ts';

/** Follows the heads of the environments that somebody listens to: one reader each, however many gateways. */
export interface Feeds {
  /** Starts to follow; onChange is called when the head's bytes have changed, first when one is known. */
  follow(at: EnvironmentRef, onChange: () => void): Following;
  /** Called after a hint that anything about identities may have changed. */
  onIdentities(callback: () => void): () => void;
  /** False after a poll that the database did not answer. */
  isHealthy(): boolean;
  /** Stops all polling. */
  close(): void;
}

/** One listener's hold on a feed. */
export interface Following {
  /** The newest head known; at most a poll old. */
  head(): PublishedHead | undefined;
  stop(): void;
}

interface Feed {
  readonly at: EnvironmentRef;
  readonly listeners: Set<() => void>;
  head: PublishedHead | undefined;
  isReading: boolean;
  isDue: boolean;
}

/** Makes the feeds: read at once after a hint, and every pollEveryMs because a hint may be lost. */
export function createFeeds(options: BridgeOptions): Feeds {
  const { repository, clock, config } = options;
  const feeds = new Map<string, Feed>();
  const identityListeners = new Set<() => void>();
  const reader = createReader(options);

  const readAll = (environment: string): void => {
    for (const feed of feeds.values())
      if (environment === '' || feed.at.environment === environment) void reader.read(feed);
    if (environment === '') for (const listener of identityListeners) listener();
  };
  const unsubscribe = repository.onPublished(readAll);
  const poll = (): void => {
    readAll('');
    // With nobody connected nothing is read, and health would tell of a time long gone.
    if (feeds.size === 0) void reader.probe();
    cancelTimer = clock.after(config.limits.pollEveryMs, poll);
  };
  let cancelTimer = clock.after(config.limits.pollEveryMs, poll);

  return {
    follow(at, onChange) {
      const key = `${at.organization}\0${at.environment}`;
      const feed = feeds.get(key) ?? newFeed(at);
      feeds.set(key, feed);
      feed.listeners.add(onChange);
      if (feed.head === undefined) void reader.read(feed);
      return {
        head: () => feed.head,
        stop() {
          feed.listeners.delete(onChange);
          if (feed.listeners.size === 0 && feeds.get(key) === feed) feeds.delete(key);
        },
      };
    },
    onIdentities(callback) {
      identityListeners.add(callback);
      return () => identityListeners.delete(callback);
    },
    isHealthy: () => reader.isHealthy(),
    close() {
      cancelTimer();
      unsubscribe();
      feeds.clear();
    },
  };
}

function newFeed(at: EnvironmentRef): Feed {
  return { at, listeners: new Set(), head: undefined, isReading: false, isDue: false };
}

/** Reads heads, one read per feed at a time; a hint that comes meanwhile is one more read, however many came. */
function createReader({ repository, log }: BridgeOptions): {
  read(feed: Feed): Promise<void>;
  /** Asks for something that does not exist, only to see whether the repository answers. */
  probe(): Promise<void>;
  isHealthy(): boolean;
} {
  let isHealthy = true;
  const watched = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await read();
      if (!isHealthy) log.info('the repository answers again');
      isHealthy = true;
      return answer;
    } catch (error) {
      if (isHealthy) log.warn({ err: error }, 'the repository does not answer; heads are not read');
      isHealthy = false;
      return undefined;
    }
  };
  const readOnce = async (feed: Feed): Promise<void> => {
    const head = await watched(() => repository.head(feed.at));
    if (head === undefined || isSame(head, feed.head)) return;
    feed.head = head;
    for (const listener of feed.listeners) listener();
  };
  return {
    isHealthy: () => isHealthy,
    probe: async () => void (await watched(() => repository.gateway(''))),
    async read(feed) {
      feed.isDue = true;
      if (feed.isReading) return;
      feed.isReading = true;
      while (feed.isDue && feed.listeners.size > 0) {
        feed.isDue = false;
        await readOnce(feed);
      }
      feed.isReading = false;
    },
  };
}

function isSame(a: PublishedHead, b: PublishedHead | undefined): boolean {
  return b !== undefined && Buffer.compare(a.bytes, b.bytes) === 0;
}
