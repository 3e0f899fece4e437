import { useEffect, useRef, useSyncExternalStore } from 'react';

/** How a stream fares: `off` where there is none, e.g. for who may not read it; whoever follows it asks again and again then. */
export type LiveState = 'off' | 'connecting' | 'live' | 'reconnecting';

type Heard = (name: string, data: unknown) => void;

/** A stream is tried again after this time when it was refused: its reader may have been given a right. */
const triedAgainMs = 60_000;

const base = '/management/v2/environments';

/** Where a stream of an environment is, e.g. `liveUrl(env, 'instances')`. */
export const liveUrl = (env: string, of: string, query = ''): string =>
  `${base}/${encodeURIComponent(env)}/${of}/_live${query === '' ? '' : `?${query}`}`;

/** One stream for all that follow it on this page; a browser has six connections to one origin, so a page that nobody sees has none. */
class Follower {
  readonly #url: string;
  readonly #names: readonly string[];
  readonly #hearers = new Set<Heard>();
  readonly #watchers = new Set<() => void>();
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  state: LiveState = 'off';

  constructor(url: string, names: readonly string[]) {
    this.#url = url;
    this.#names = names;
  }

  add(hear: Heard): () => void {
    this.#hearers.add(hear);
    if (this.#hearers.size === 1) {
      document.addEventListener('visibilitychange', this.#look);
      this.#look();
    }
    return () => {
      this.#hearers.delete(hear);
      if (this.#hearers.size > 0) return;
      document.removeEventListener('visibilitychange', this.#look);
      this.#close();
      followers.delete(this.#url);
    };
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  readonly #look = (): void => {
    if (document.visibilityState === 'hidden') this.#close();
    else this.#open();
  };

  #open(): void {
    if (this.#source !== undefined || this.#hearers.size === 0) return;
    clearTimeout(this.#timer);
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#become('connecting');
    source.addEventListener('open', () => this.#become('live'));
    source.addEventListener('error', () => {
      // The browser comes back by itself, unless it was refused.
      if (source.readyState !== EventSource.CLOSED) return this.#become('reconnecting');
      this.#close();
      this.#timer = setTimeout(this.#look, triedAgainMs);
    });
    for (const name of this.#names)
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        const said: unknown = JSON.parse(data);
        for (const hear of this.#hearers) hear(name, said);
      });
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    this.#become('off');
  }

  #become(state: LiveState): void {
    this.state = state;
    for (const watcher of this.#watchers) watcher();
  }
}

const followers = new Map<string, Follower>();
const never = (): (() => void) => () => undefined;

/**
 * Follows a stream as long as it is shown and its page is seen; says how it fares. `hear` is called for each event of those names, with what
 * its data says. Without a url nothing is followed.
 */
export function useLive(url: string | undefined, names: readonly string[], hear: Heard): LiveState {
  const latest = useRef(hear);
  useEffect(() => {
    latest.current = hear;
  });
  const key = names.join(' ');
  useEffect(() => {
    if (url === undefined) return;
    return followerOf(url, key.split(' ')).add((name, data) => latest.current(name, data));
  }, [url, key]);
  const follower = url === undefined ? undefined : followerOf(url, names);
  return useSyncExternalStore(follower?.watch ?? never, () => follower?.state ?? 'off');
}

function followerOf(url: string, names: readonly string[]): Follower {
  const known = followers.get(url) ?? new Follower(url, names);
  followers.set(url, known);
  return known;
}
