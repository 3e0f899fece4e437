/** Tells the other control planes and bridges on this database that something changed. A hint: who needs it also polls. */
export interface Notifier {
  /** Never rejects; a lost hint costs the reader's polling interval. */
  notify(topic: string, payload: string): Promise<void>;
  /**
   * Calls back for each hint on a topic, from this process and from others on the same PostgreSQL; with '' after a
   * reconnect, since hints may have been missed. Returns a function that unsubscribes.
   */
  subscribe(topic: string, callback: (payload: string) => void): () => void;
  close(): Promise<void>;
}

/** Subscriptions of one process. */
export class Subscriptions {
  readonly #callbacks = new Map<string, Set<(payload: string) => void>>();

  add(topic: string, callback: (payload: string) => void): () => void {
    const set = this.#callbacks.get(topic) ?? new Set();
    this.#callbacks.set(topic, set);
    // Wrapped, so that the same function subscribed twice is two subscriptions.
    const entry = (payload: string): void => callback(payload);
    set.add(entry);
    return () => void set.delete(entry);
  }

  call(topic: string, payload: string): void {
    for (const callback of this.#callbacks.get(topic) ?? []) callback(payload);
  }

  callAll(payload: string): void {
    for (const topic of this.#callbacks.keys()) this.call(topic, payload);
  }
}

/** For SQLite: one process, so the hint is a call. */
export function createLocalNotifier(): Notifier {
  const subscriptions = new Subscriptions();
  return {
    notify: async (topic, payload) => {
      // On a turn of its own: a subscriber must not run inside the stack of who publishes.
      setImmediate(() => subscriptions.call(topic, payload));
    },
    subscribe: (topic, callback) => subscriptions.add(topic, callback),
    close: async () => undefined,
  };
}
