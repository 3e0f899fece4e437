import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Problem } from '../../api/problem.ts';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { countOf } from '../../kit/numbers.ts';
import { say } from '../../kit/toast.tsx';
import styles from './lists.module.css';

/** How many are asked for at once; the others wait. */
const atOnceMax = 4;
/** How many are named before it is done. */
const namedMax = 8;

interface Outcome<Row, Answer> {
  readonly done: readonly (readonly [row: Row, answer: Answer])[];
  readonly failed: readonly (readonly [row: Row, problem: Problem])[];
}

interface TogetherProps<Row, Answer> {
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly nameOf: (row: Row) => string;
  /** What one of them is called, e.g. `subscription`. */
  readonly noun: string;
  /** What is done, and what they are then, e.g. `Close` and `closed`: of `Close 3 subscriptions`, and of `3 subscriptions are closed`. */
  readonly words: readonly [verb: string, done: string];
  readonly effects?: undefined | readonly (readonly [figure: string, effect: string])[];
  readonly isDangerous?: boolean;
  readonly change: (row: Row) => Promise<Answer>;
  readonly touches: readonly (readonly string[])[];
  /** Told what was answered, and of which rows, once all is done or somebody leaves the rest. */
  readonly onDone?: (done: Outcome<Row, Answer>['done']) => void;
  readonly onClose: () => void;
}

/**
 * Asks whether something is to be done with several rows, and does it, one call for each.
 *
 * What was refused of it is named with its reason, and can be tried again by itself: what was done stays done. Whoever closes the dialog
 * meanwhile ends it after the calls that are under way.
 */
export function TogetherDialog<Row, Answer>(props: TogetherProps<Row, Answer>) {
  const { rows, keyOf, nameOf, noun, words, effects, isDangerous = false, change } = props;
  const [verb] = words;
  const { outcome, open, doing, close } = useTogether(props);
  const { done, failed } = outcome;
  return (
    <FormDialog
      title={`${verb} ${countOf(rows.length, noun)}?`}
      isOpen
      onClose={close}
      leave={done.length > 0 ? 'Leave the rest' : 'Cancel'}
      submit={{
        verb: failed.length > 0 && !doing.isPending ? 'Try again' : `${verb} ${countOf(open.length, noun)}`,
        isDangerous,
        mutation: { ...doing, mutate: () => doing.mutate(), change: () => Promise.all(open.map(change)) },
      }}
    >
      {effects !== undefined && <Effects effects={effects} />}
      <p role="status" className="second">
        {(doing.isPending || done.length > 0) && `${done.length} of ${rows.length} done`}
      </p>
      {failed.length > 0 ? (
        <ul className={styles['refused']} aria-label="What was refused">
          {failed.map(([row, { message, code }]) => (
            <li key={keyOf(row)}>
              <b>{nameOf(row)}</b>
              <span>{message}</span>
              <small className="mono">{code}</small>
            </li>
          ))}
        </ul>
      ) : (
        <ul className={styles['named']} aria-label="With which">
          {open.slice(0, namedMax).map((row) => (
            <li key={keyOf(row)}>{nameOf(row)}</li>
          ))}
          {open.length > namedMax && <li className="quiet">and {open.length - namedMax} more</li>}
        </ul>
      )}
    </FormDialog>
  );
}

/** What of it is done, what is open, and the doing of that. */
function useTogether<Row, Answer>({
  rows,
  keyOf,
  noun,
  words: [, word],
  change,
  touches,
  onDone,
  onClose,
}: TogetherProps<Row, Answer>) {
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState<Outcome<Row, Answer>>({ done: [], failed: [] });
  const isLeft = useRef(false);
  const done = new Set(outcome.done.map(([row]) => keyOf(row)));
  const open = rows.filter((row) => !done.has(keyOf(row)));
  const end = (all: Outcome<Row, Answer>['done']): void => {
    if (all.length > 0) {
      say({ text: `${countOf(all.length, noun)} ${all.length === 1 ? 'is' : 'are'} ${word}` });
      onDone?.(all);
    }
    onClose();
  };
  const doing = useMutation({
    mutationFn: async () => {
      let now: Outcome<Row, Answer> = { done: outcome.done, failed: [] };
      const waiting = [...open];
      const work = async (): Promise<void> => {
        for (let row = waiting.shift(); row !== undefined && !isLeft.current; row = waiting.shift()) {
          const at = row;
          const next = await change(at).then(
            (answer) => ({ isDone: true, answer }) as const,
            (error: unknown) => ({ isDone: false, problem: Problem.of(error) }) as const,
          );
          // What the others have done meanwhile is in it.
          now = next.isDone
            ? { ...now, done: [...now.done, [at, next.answer]] }
            : { ...now, failed: [...now.failed, [at, next.problem]] };
          setOutcome(now);
        }
      };
      await Promise.all(Array.from({ length: atOnceMax }, work));
      await Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
      return now;
    },
    onSuccess: (now) => {
      if (now.failed.length === 0 || isLeft.current) end(now.done);
    },
  });
  const close = (): void => {
    isLeft.current = true;
    if (!doing.isPending) end(outcome.done);
  };
  return { outcome, open, doing, close };
}
