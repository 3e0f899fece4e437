import { useState } from 'react';
import { useChange } from './change.ts';
import { Problem } from './problem.ts';

/**
 * What is written of something new in a dialog, and the making of it.
 *
 * What the page sees for itself is told once the making was tried; what the management API refused, until something else is written.
 * Once it is made, what it `touches` is asked anew (see {@link useChange}), the dialog closes, and its fields are blank again.
 */
export function useCreation<Wish extends object, Field extends string, Made>({
  blank,
  faultsOf,
  places,
  create,
  touches,
  onMade,
  onClose,
}: {
  readonly blank: Wish;
  /** What can be said of it before anybody is asked. */
  readonly faultsOf: (wish: Wish) => Readonly<Partial<Record<Field, string>>>;
  /** What each field writes, as refusals name it. */
  readonly places: Readonly<Record<Field, string>>;
  /** `key` names the creation: what is sent again under it, since nobody knows what became of it, is made once. */
  readonly create: (wish: Wish, key: string) => Promise<Made>;
  readonly touches: readonly (readonly string[])[];
  readonly onMade: (made: Made) => void;
  readonly onClose: () => void;
}) {
  const [wish, setWish] = useState(blank);
  const [isTried, setTried] = useState(false);
  const [key, setKey] = useState(newKey);
  const creating = useChange({
    change: () => create(wish, key),
    touches,
    onDone: (made) => {
      close();
      setWish(blank);
      setKey(newKey);
      onMade(made);
    },
  });
  const close = (): void => {
    setTried(false);
    creating.reset();
    onClose();
  };
  const seen = faultsOf(wish);
  const told = creating.error === null ? undefined : Problem.of(creating.error).at(places);
  const send = (): void => {
    setTried(true);
    if (Object.keys(seen).length === 0) creating.mutate();
  };
  return {
    wish,
    change: (part: Partial<Wish>): void => {
      // What was refused is what it was then.
      creating.reset();
      setWish((before) => ({ ...before, ...part }));
      // Another wish under the same name would be refused.
      setKey(newKey);
    },
    faults: isTried ? { ...told?.faults, ...seen } : {},
    close,
    /** What a dialog sends with. */
    submit: { mutation: { ...creating, mutate: send }, others: told?.others },
  };
}

/** Not by randomUUID, which pages have only where they came by TLS. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
