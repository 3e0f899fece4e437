import { useSyncExternalStore } from 'react';

/** What stands outside of the page that puts it there, e.g. what was done on a page that is left already. */
export interface Outside<Value> {
  readonly get: () => Value;
  readonly put: (value: Value) => void;
  /** The same as `get` for what is drawn, and drawn anew when something else is put. */
  readonly use: () => Value;
}

export function createOutside<Value>(first: Value): Outside<Value> {
  const listeners = new Set<() => void>();
  let now = first;
  const get = (): Value => now;
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    get,
    put: (value) => {
      now = value;
      for (const listener of listeners) listener();
    },
    use: () => useSyncExternalStore(subscribe, get),
  };
}
