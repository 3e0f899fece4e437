import { type ReactNode, useEffect, useRef, useState } from 'react';
import checks from './checks.module.css';
import { Button } from './button.tsx';
import styles from './choosing.module.css';

/** Which rows of a list somebody has chosen, to do something with all of them. */
export interface Choosing<Row> {
  /** What of the page can be chosen. */
  readonly all: readonly Row[];
  /** What of it is. */
  readonly rows: readonly Row[];
  readonly chosen: ReadonlySet<string>;
  readonly keyOf: (row: Row) => string;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  /** What a row is called, e.g. to whom its box is read out. */
  readonly nameOf: (row: Row) => string;
}

/** What is chosen of the rows of a page: what is shown no more is not chosen either, so that nothing happens to what nobody sees. */
export function useChoosing<Row>(
  rows: readonly Row[] | undefined,
  keyOf: (row: Row) => string,
  nameOf: (row: Row) => string,
): Choosing<Row> {
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const all = rows ?? [];
  const shown = all.filter((row) => kept.has(keyOf(row)));
  return { all, rows: shown, chosen: new Set(shown.map(keyOf)), keyOf, onChoose: setKept, nameOf };
}

/** The box of a row; with Shift, all from the last that is chosen to this one. */
export function RowBox<Row>({
  row,
  choosing: { all, chosen, keyOf, onChoose, nameOf },
}: {
  readonly row: Row;
  readonly choosing: Choosing<Row>;
}) {
  const key = keyOf(row);
  const keys = all.map(keyOf);
  if (!keys.includes(key)) return null;
  const choose = (isChosen: boolean, isRange: boolean): void => {
    const [from, to] = [keys.findLastIndex((each) => chosen.has(each)), keys.indexOf(key)];
    const meant = isRange && from !== -1 ? keys.slice(Math.min(from, to), Math.max(from, to) + 1) : [key];
    onChoose(new Set(isChosen ? [...chosen, ...meant] : [...chosen].filter((each) => !meant.includes(each))));
  };
  return (
    <label className={styles['box']}>
      <input
        type="checkbox"
        className={checks['check']}
        aria-label={`Choose ${nameOf(row)}`}
        data-chooses
        checked={chosen.has(key)}
        onChange={({ target, nativeEvent }) =>
          choose(target.checked, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)
        }
      />
    </label>
  );
}

/** The box of all rows of a page. */
export function AllBox<Row>({
  choosing: { all, chosen, keyOf, onChoose },
}: {
  readonly choosing: Choosing<Row>;
}) {
  const isAll = all.length > 0 && chosen.size === all.length;
  return (
    <label className={styles['box']}>
      <input
        type="checkbox"
        className={checks['check']}
        aria-label="Choose all of this page"
        disabled={all.length === 0}
        checked={isAll}
        ref={(box) => {
          if (box !== null) box.indeterminate = chosen.size > 0 && !isAll;
        }}
        onChange={() => onChoose(new Set(isAll ? [] : all.map(keyOf)))}
      />
    </label>
  );
}

/** What can be done with all that is chosen; with some of it where `isFor` says so. */
export interface Together<Row> {
  readonly verb: string;
  readonly isFor?: (row: Row) => boolean;
  readonly isDangerous?: boolean;
  readonly onDo: (rows: readonly Row[]) => void;
}

/** Below the bar, in pixels; its style sheet says the same. */
const belowPx = 12;

/** Tells what else stands at the edge of the window how high the bar is there. */
function useTold() {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (bar.current === null) return undefined;
    const { style } = document.documentElement;
    const observer = new ResizeObserver(([entry]) => {
      const height = entry?.borderBoxSize[0]?.blockSize ?? 0;
      style.setProperty('--chosen-bar', `${height === 0 ? 0 : height + belowPx}px`);
    });
    observer.observe(bar.current);
    return () => {
      observer.disconnect();
      style.removeProperty('--chosen-bar');
    };
  }, []);
  return bar;
}

/** How many rows are chosen, and what can be done with how many of them; stays in view, and is not there while none is. */
export function ChosenBar<Row>({
  label,
  choosing: { rows, all, keyOf, onChoose },
  deeds,
}: {
  /** What is chosen, e.g. `subscriptions`. */
  readonly label: string;
  readonly choosing: Choosing<Row>;
  readonly deeds: readonly Together<Row>[];
}): ReactNode {
  const bar = useTold();
  return (
    <div ref={bar} className={styles['bar']} data-shown={rows.length > 0 || undefined}>
      <span role="status">
        {rows.length > 0 && (
          <>
            <b className="num">{rows.length}</b> of {all.length} chosen
          </>
        )}
      </span>
      {rows.length > 0 && (
        <fieldset>
          <legend className="hidden">{`With the chosen ${label}`}</legend>
          {deeds.map(({ verb, isFor, isDangerous = false, onDo }) => {
            const meant = isFor === undefined ? rows : rows.filter(isFor);
            if (meant.length === 0) return null;
            return (
              <Button
                key={verb}
                size="small"
                look={isDangerous ? 'danger' : 'plain'}
                onClick={() => onDo(meant)}
              >
                {verb} <span className="num">{meant.length}</span>
              </Button>
            );
          })}
          {rows.length < all.length && (
            <Button size="small" look="quiet" onClick={() => onChoose(new Set(all.map(keyOf)))}>
              Choose all {all.length}
            </Button>
          )}
          <Button size="small" look="quiet" onClick={() => onChoose(new Set())}>
            Clear
          </Button>
        </fieldset>
      )}
    </div>
  );
}
