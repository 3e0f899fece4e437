import { useRef, useState } from 'react';
import { Problem } from './problem.ts';

/** What somebody has written of something that is kept, and not saved. */
export interface Written<Fields extends object> {
  readonly fields: Partial<Fields>;
  readonly isWritten: boolean;
  readonly write: (part: Partial<Fields>) => void;
  readonly discard: () => void;
  /** Told by `useChange`, which is handed it, how the saving goes. */
  readonly goes: (step: 'sent' | 'saved' | 'taken') => void;
}

/**
 * Keeps what is written until it is saved or discarded, whatever comes meanwhile: what is kept may be asked anew, and what is written while it
 * is saved is not a part of what was sent. `over` is what was kept when the writing began, for {@link demandAsSeen}; once somebody was told
 * that it changed, what is kept by then.
 */
export function useWritten<Kept, Fields extends object>(
  kept: Kept,
): Written<Fields> & { readonly over: Kept } {
  const [{ fields, over }, set] = useState<{ readonly fields: Partial<Fields>; readonly over?: Kept }>({
    fields: {},
  });
  const sent = useRef(fields);
  return {
    fields,
    isWritten: Object.keys(fields).length > 0,
    over: over ?? kept,
    write: (part) => set((before) => ({ fields: { ...before.fields, ...part }, over: before.over ?? kept })),
    discard: () => set({ fields: {} }),
    goes: (step) => {
      if (step === 'sent') sent.current = fields;
      else if (step === 'saved') set((before) => ({ fields: without(before.fields, sent.current) }));
      else set((before) => ({ fields: before.fields }));
    },
  };
}

/** What is written by now but was not when it was sent. */
function without<Fields extends object>(now: Partial<Fields>, sent: Partial<Fields>): Partial<Fields> {
  const before = new Map(Object.entries(sent));
  const left = Object.entries(now).filter(([name, value]) => !before.has(name) || before.get(name) !== value);
  return Object.fromEntries(left) as Partial<Fields>;
}

/**
 * Refuses to write fields over what somebody else has written there since it was seen. Errors: Problem with status 412.
 *
 * Whoever has the ETag of what is there sends it as well: this alone leaves the moment between reading and writing.
 */
export function demandAsSeen<Fields extends object>(
  { seen, now }: { readonly seen: Fields; readonly now: Fields },
  written: object,
): void {
  const [olds, news] = [new Map(Object.entries(seen)), new Map(Object.entries(now))];
  const isSame = Object.keys(written).every(
    (name) => JSON.stringify(olds.get(name)) === JSON.stringify(news.get(name)),
  );
  if (!isSame) throw Problem.taken();
}
