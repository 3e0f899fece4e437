import { ArrowDown, ArrowUp, Columns3 } from 'lucide-react';
import { useState } from 'react';
import { type ChosenTable, useChoose, useChosen } from '../../api/preferences.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import styles from './lists.module.css';
import { FormDialog } from '../../kit/dialog.tsx';
import type { Column } from '../../kit/table.tsx';

/** What preferences call a column: its title in lower case, as one word, without what stands behind a comma. */
const nameOf = ({ title }: Pick<Column<never>, 'title'>): string =>
  title.toLowerCase().replace(/,.*/, '').replaceAll(' ', '-');

/** Of all columns that can be chosen. */
export const titlesOf = (all: readonly Pick<Column<never>, 'title'>[]): readonly string[] =>
  all.slice(1).map(({ title }) => title);

/** Columns of a list as the reader has chosen them; the first one is what a row is, and always there. */
export function useColumns<Row>(table: ChosenTable, all: readonly Column<Row>[]): readonly Column<Row>[] {
  const chosen: readonly string[] | undefined = useChosen().tables?.[table];
  if (chosen === undefined) return all;
  const [first, ...others] = all;
  return [first, ...chosen.map((name) => others.find((column) => nameOf(column) === name))].filter(
    (column) => column !== undefined,
  );
}

/** The button that leads to which columns a list has. */
export function ColumnsButton({
  table,
  titles,
}: {
  readonly table: ChosenTable;
  /** Of all columns that there are but the first one. */
  readonly titles: readonly string[];
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Columns3 size={14} aria-hidden />
        Columns
      </Button>
      {isOpen && <ColumnsDialog {...{ table, titles }} onClose={() => setOpen(false)} />}
    </>
  );
}

function ColumnsDialog({
  table,
  titles,
  onClose,
}: {
  readonly table: ChosenTable;
  readonly titles: readonly string[];
  readonly onClose: () => void;
}) {
  const { tables } = useChosen();
  const usual = titles.map((title) => nameOf({ title }));
  const before: readonly string[] = tables?.[table] ?? usual;
  const [order, setOrder] = useState<readonly string[]>(() => [
    ...before,
    ...usual.filter((name) => !before.includes(name)),
  ]);
  const [shown, setShown] = useState<ReadonlySet<string>>(() => new Set(before));
  const { mutate, ...choosing } = useChoose();
  const save = (): void => {
    const chosen = order.filter((name) => shown.has(name));
    // Names are those of the table's own columns.
    mutate((old) => ({ ...old, tables: { ...old.tables, [table]: chosen } as NonNullable<typeof tables> }), {
      onSuccess: onClose,
    });
  };
  const move = (at: number, by: -1 | 1): void => {
    const next = [...order];
    const [moved] = next.splice(at, 1);
    if (moved !== undefined) setOrder(next.toSpliced(at + by, 0, moved));
  };
  const toggle = (name: string): void => {
    setShown(shown.symmetricDifference(new Set([name])));
  };
  return (
    <FormDialog
      title="Columns"
      about="For you, wherever you sign in."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Save columns', mutation: { ...choosing, mutate: save } }}
    >
      <ul className={styles['columns']} aria-label="Columns">
        {order.map((name, at) => {
          const title = titles[usual.indexOf(name)] ?? name;
          return (
            <li key={name}>
              <label>
                <input type="checkbox" checked={shown.has(name)} onChange={() => toggle(name)} />
                {title}
              </label>
              <IconButton label={`Move ${title} up`} disabled={at === 0} onClick={() => move(at, -1)}>
                <ArrowUp size={14} aria-hidden />
              </IconButton>
              <IconButton
                label={`Move ${title} down`}
                disabled={at === order.length - 1}
                onClick={() => move(at, 1)}
              >
                <ArrowDown size={14} aria-hidden />
              </IconButton>
            </li>
          );
        })}
      </ul>
    </FormDialog>
  );
}
