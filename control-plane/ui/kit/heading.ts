import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let heading = '';

/** Says what the page that is shown is called; gives what takes it back when the page goes. */
export function tellHeading(title: string): () => void {
  show(title);
  return () => show('');
}

function show(title: string): void {
  heading = title;
  for (const listener of listeners) listener();
}

/** What the page that is shown is called; nothing while none stands. */
export const useHeading = (): string =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => heading,
  );
