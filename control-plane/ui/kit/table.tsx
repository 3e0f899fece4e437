import { ArrowDown, ArrowUp } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useState } from 'react';
import { Button } from './button.tsx';
import { AllBox, type Choosing, RowBox } from './choosing.tsx';
import { count } from './numbers.ts';
import styles from './table.module.css';
import { ProblemBox } from './told.tsx';

/** A column of a {@link DataTable}. */
export interface Column<Row> {
  readonly title: string;
  /** What the server sorts by, when it can. */
  readonly sort?: string;
  readonly align?: 'end';
  /** What can be done with a row: its buttons say so, and its title is only read out. */
  readonly isDeeds?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

/** Something that can be done with a row, by a button at its end. */
interface Deed<Row> {
  readonly verb: string;
  /** What its button is called among those of other rows, e.g. `Edit payments`. */
  readonly label: (row: Row) => string;
  /** Absent where the reader may not. */
  readonly onDo: ((row: Row) => void) | undefined;
  /** With which rows it can be done; without it, with all. */
  readonly isFor?: (row: Row) => boolean;
}

/** The column of what can be done with each row; none where the reader may do nothing. */
export function deedsColumn<Row>(title: string, deeds: readonly Deed<Row>[]): readonly Column<Row>[] {
  const allowed = deeds.flatMap(({ onDo, ...deed }) => (onDo === undefined ? [] : [{ ...deed, onDo }]));
  if (allowed.length === 0) return [];
  const cell = (row: Row): ReactNode =>
    allowed
      .filter(({ isFor }) => isFor === undefined || isFor(row))
      .map(({ verb, label, onDo }) => (
        <Button key={verb} size="small" look="quiet" aria-label={label(row)} onClick={() => onDo(row)}>
          {verb}
        </Button>
      ));
  return [{ title, align: 'end', isDeeds: true, cell }];
}

/** Where a list stands among all of it. */
export interface Paging {
  readonly page: number;
  readonly perPage: number;
  readonly total: number;
  readonly onPage: (page: number) => void;
}

interface TableProps<Row> {
  /** What is listed, for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** Undefined while the first answer is awaited. */
  readonly rows: readonly Row[] | undefined;
  /** Why the last answer failed; rows of the one before stay. */
  readonly error?: unknown;
  readonly keyOf: (row: Row) => string;
  /** Stands in place of the rows when there are none. */
  readonly empty?: ReactNode;
  readonly paging?: Paging | undefined;
  /** `name`, or `-name` downwards. */
  readonly sortBy?: string | undefined;
  readonly onSort?: (sortBy: string) => void;
  /** Inside a panel. */
  readonly isInner?: boolean;
  /** A click on any cell of a row goes where the link in its first cell leads, which is there for the keyboard. */
  readonly leads?: boolean;
  /** How many rows are to come, where that is known, so that nothing below them moves. */
  readonly rowsAwaited?: number;
  /** Several rows can be chosen, to do something with all of them. */
  readonly choosing?: Choosing<Row> | undefined;
}

const bonesShown = 6;
const rowsPerPage = 25;

/**
 * Pages of a list that the server gives as a whole, undefined until it does; what it has few of is shown without. `first` is the row that is
 * looked for, by its place.
 */
export function usePages<Row>(
  all: readonly Row[] | undefined,
  first = 0,
): {
  readonly rows: readonly Row[] | undefined;
  readonly paging: Paging | undefined;
} {
  const [wanted, setPage] = useState(Math.floor(first / rowsPerPage) + 1);
  const total = all?.length ?? 0;
  const page = Math.min(wanted, Math.max(1, Math.ceil(total / rowsPerPage)));
  return {
    rows: all?.slice((page - 1) * rowsPerPage, page * rowsPerPage),
    paging: total > rowsPerPage ? { page, perPage: rowsPerPage, total, onPage: setPage } : undefined,
  };
}

/** A list: its head, rows, and where it stands among all; the server sorts, filters and pages. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  error,
  keyOf,
  empty,
  paging,
  sortBy,
  onSort,
  isInner = false,
  leads = false,
  rowsAwaited = bonesShown,
  choosing,
}: TableProps<Row>) {
  const problem =
    error === undefined || error === null ? undefined : (
      <div className={styles['problem']}>
        <ProblemBox error={error} />
      </div>
    );
  if (problem !== undefined && rows === undefined) return problem;
  if (rows?.length === 0 && empty !== undefined)
    return (
      <>
        {problem}
        {empty}
      </>
    );
  return (
    <>
      {problem}
      {/* Where it is wider than the page, a keyboard must be able to move it. */}
      <div className={styles['scroll']} tabIndex={0} role="region" aria-label={`${label}, list`}>
        <table
          className={styles['table']}
          aria-label={label}
          aria-busy={rows === undefined}
          data-inner={isInner || undefined}
        >
          <thead>
            <tr>
              {columns.map((column, at) => (
                <Head key={column.title} {...{ column, sortBy, onSort }}>
                  {at === 0 && choosing !== undefined && <AllBox choosing={choosing} />}
                </Head>
              ))}
            </tr>
          </thead>
          <tbody onKeyDown={walk} onClick={leads ? lead : undefined} data-leads={leads || undefined}>
            {rows === undefined
              ? Array.from({ length: rowsAwaited }, (_, at) => <Bones key={at} columns={columns.length} />)
              : rows.map((row) => (
                  <tr key={keyOf(row)} data-chosen={choosing?.chosen.has(keyOf(row)) || undefined}>
                    {columns.map(({ title, align, isDeeds, cell }, at) => (
                      <td key={title} data-align={align} data-title={isDeeds === true ? undefined : title}>
                        {at === 0 && choosing !== undefined && <RowBox {...{ row, choosing }} />}
                        {cell(row)}
                      </td>
                    ))}
                  </tr>
                ))}
          </tbody>
        </table>
      </div>
      {paging !== undefined && <Foot {...paging} />}
    </>
  );
}

function Head<Row>({
  column: { title, sort, align, isDeeds = false },
  sortBy,
  onSort,
  children,
}: {
  readonly column: Column<Row>;
  readonly sortBy: string | undefined;
  readonly onSort: ((sortBy: string) => void) | undefined;
  /** Stands before the title. */
  readonly children?: ReactNode;
}) {
  if (sort === undefined || onSort === undefined)
    return (
      <th scope="col" data-align={align}>
        {children}
        {isDeeds ? <span className="hidden">{title}</span> : title}
      </th>
    );
  const isUp = sortBy === sort;
  const isDown = sortBy === `-${sort}`;
  return (
    <th
      scope="col"
      data-align={align}

      aria-sort={isUp ? 'ascending' : isDown ? 'descending' : undefined}
    >
      {children}
      <button type="button" className={styles['sort']} onClick={() => onSort(isUp ? `-${sort}` : sort)}>
        {title}
        {isUp && <ArrowUp size={14} aria-hidden />}
        {isDown && <ArrowDown size={14} aria-hidden />}
      </button>
    </th>
  );
}

const steps: ReadonlyMap<string, number> = new Map([
  ['ArrowDown', 1],
  ['j', 1],
  ['ArrowUp', -1],
  ['k', -1],
]);

/** Arrows go from row to row, as j and k do in a mail program, and x chooses one; Enter is the link's own. */
function walk(event: KeyboardEvent<HTMLTableSectionElement>): void {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLAnchorElement)) return;
  if (event.key === 'x')
    event.target.closest('tr')?.querySelector<HTMLInputElement>('[data-chooses]')?.click();
  const step = steps.get(event.key);
  if (step === undefined) return;
  event.preventDefault();
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('td:first-child a')];
  links[links.indexOf(event.target) + step]?.focus();
}

/** What is itself pressed is left alone, and so is a text that somebody has just marked. */
function lead(event: MouseEvent<HTMLTableSectionElement>): void {
  const { target } = event;
  if (!(target instanceof Element) || target.closest('a, button, input, select, label, summary') !== null)
    return;
  if (document.getSelection()?.isCollapsed === false) return;
  const { ctrlKey, metaKey, shiftKey } = event;
  target
    .closest('tr')
    ?.querySelector('td:first-child a')
    ?.dispatchEvent(
      new globalThis.MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }),
    );
}

function Foot({ page, perPage, total, onPage }: Paging) {
  const first = (page - 1) * perPage + 1;
  const last = Math.min(page * perPage, total);
  return (
    <div className={styles['foot']}>
      <span className="num" role="status">
        {total === 0 ? 'none' : `${first}–${last} of ${count(total).value}${count(total).unit}`}
      </span>
      {total > perPage && (
        <>
          <Button size="small" disabled={page <= 1} onClick={() => onPage(page - 1)}>
            Previous
          </Button>
          <Button size="small" disabled={last >= total} onClick={() => onPage(page + 1)}>
            Next
          </Button>
        </>
      )}
    </div>
  );
}

function Bones({ columns }: { readonly columns: number }) {
  return (
    <tr>
      {Array.from({ length: columns }, (_, at) => (
        <td key={at}>
          <div className={styles['bone']} style={{ width: at === 0 ? '70%' : '40%' }} />
        </td>
      ))}
    </tr>
  );
}
