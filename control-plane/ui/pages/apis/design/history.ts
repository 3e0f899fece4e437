/** What can be undone: steps back and forth through states of one thing. */
export interface History<T> {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
  /** What the last change was of: further changes of the same, one soon after the other, are undone as one. */
  readonly subject?: string | undefined;
  readonly changedAtMs?: number | undefined;
}

const pastMax = 100;
const togetherMs = 1_500;

export const begun = <T>(now: T): History<T> => ({ past: [], now, future: [] });

/** After a change; what was undone before cannot be done again. */
export function changed<T>(
  history: History<T>,
  now: T,
  { subject, atMs }: { readonly subject?: string; readonly atMs: number },
): History<T> {
  if (now === history.now) return history;
  const isOneMore =
    subject !== undefined &&
    subject === history.subject &&
    atMs - (history.changedAtMs ?? 0) < togetherMs &&
    history.past.length > 0;
  const past = isOneMore ? history.past : [...history.past, history.now].slice(-pastMax);
  return { past, now, future: [], subject, changedAtMs: atMs };
}

export function undone<T>({ past, now, future }: History<T>): History<T> {
  const before = past.at(-1);
  return before === undefined
    ? { past, now, future }
    : { past: past.slice(0, -1), now: before, future: [now, ...future] };
}

export function redone<T>({ past, now, future }: History<T>): History<T> {
  const [after, ...rest] = future;
  return after === undefined ? { past, now, future } : { past: [...past, now], now: after, future: rest };
}
