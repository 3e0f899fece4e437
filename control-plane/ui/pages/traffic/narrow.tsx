import { useQuery } from '@tanstack/react-query';
import { ChevronDown, Clock, X } from 'lucide-react';
import { Button } from '../../kit/button.tsx';
import { Menu } from '../../kit/menu.tsx';
import { count, moment, shortId } from '../../kit/numbers.ts';
import { useGatewayNames } from '../fleets.ts';
import { type Asked, grouped, type Group, requests } from './questions.ts';
import {
  type Against,
  againstNames,
  againsts,
  cleared,
  isId,
  isNarrowed,
  type Narrowing,
  narrowings,
  spans,
  toggled,
  type TrafficSearch,
  usualSpan,
  valuesOf,
} from './search.ts';
import styles from './traffic.module.css';

/** Changes what an address says of traffic. */
export type OnSearch = (search: TrafficSearch) => void;

interface SearchProps {
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}

/** Chooses of which time calls are shown. */
export function SpanMenu({ search, onSearch }: SearchProps) {
  const { from: former, to: until, page: _page, ...rest } = search;
  const name =
    typeof former === 'number' && until !== undefined
      ? `${moment(former).slice(5, 19)} to ${moment(until).slice(5, 19)}`
      : (spans.find(([span]) => span === (former ?? usualSpan))?.[1] ?? '');
  return (
    <Menu
      trigger={
        <Button>
          <Clock size={14} aria-hidden />
          <span className="num">{name}</span>
          <ChevronDown size={14} aria-hidden />
        </Button>
      }
      items={spans.map(([from, words]) => ({
        id: from,
        label: words,
        onChoose: () => onSearch(from === usualSpan ? rest : { ...rest, from }),
      }))}
    />
  );
}

/** What figures are compared with. */
export function AgainstMenu({ search, onSearch }: SearchProps) {
  const { against, ...rest } = search;
  return (
    <Menu
      trigger={
        <Button title="What figures are compared with">
          Against {againstWords(against)}
          <ChevronDown size={14} aria-hidden />
        </Button>
      }
      items={[
        { id: 'before', label: `Against ${againstWords(undefined)}`, onChoose: () => onSearch(rest) },
        ...againstNames.map((each) => ({
          id: each,
          label: `Against ${againstWords(each)}`,
          onChoose: () => onSearch({ ...rest, against: each }),
        })),
      ]}
    />
  );
}

/** `the day before`. */
export const againstWords = (against: Against | undefined): string =>
  against === undefined ? 'the same time before' : againsts[against][0];

/** What a narrowing is called. */
export const nouns: Readonly<Record<Narrowing, string>> = {
  group: 'Status',
  status: 'Status',
  api: 'API',
  application: 'Application',
  plan: 'Plan',
  gateway: 'Gateway',
  method: 'Method',
  error: 'Error key',
};

/** What narrows the calls that are shown, each with the way to be rid of it. */
export function Chips({
  env,
  search,
  onSearch,
  names,
}: SearchProps & { readonly env: string; readonly names: ReadonlyMap<string, string> }) {
  const nameOf = useNaming(env);
  if (!isNarrowed(search)) return null;
  const { q, id, page: _page, ...rest } = search;
  const chips: (readonly [label: string, next: TrafficSearch])[] = [
    ...(q === undefined ? [] : [[`Path holds ${q}`, { ...rest, ...(id !== undefined && { id }) }] as const]),
    ...(id === undefined ? [] : [[`Request ${id}`, { ...rest, ...(q !== undefined && { q }) }] as const]),
    ...(Object.keys(narrowings) as Narrowing[]).flatMap((name) =>
      valuesOf(search, name).map(
        (value) =>
          [
            `${nouns[name]}: ${nameOf(name, { key: value, name: names.get(`${name} ${value}`) ?? value })}`,
            toggled(search, name, value),
          ] as const,
      ),
    ),
  ];
  return (
    <ul className={styles['chips']} aria-label="Narrowed by">
      {chips.map(([label, next]) => (
        <li key={label}>
          <button type="button" onClick={() => onSearch(next)}>
            {label}
            <X size={14} aria-hidden />
            <span className="hidden">, take away</span>
          </button>
        </li>
      ))}
      <li>
        <Button size="small" look="quiet" onClick={() => onSearch(cleared(search))}>
          Clear
        </Button>
      </li>
    </ul>
  );
}

const shownMax = 6;

/** Values of one property of the calls that match everything else, with how many there are of each; those that are chosen stay. */
function Facet({
  asked,
  by,
  search,
  onSearch,
}: SearchProps & { readonly asked: Asked; readonly by: Narrowing }) {
  const nameOf = useNaming(asked.env);
  const { data } = useQuery(
    grouped(asked, { by: narrowings[by], metrics: [requests], limit: shownMax + 1, without: by }),
  );
  const chosen = valuesOf(search, by);
  const known = (data ?? []).filter(({ key }) => !isUnknown(key));
  const missing = chosen
    .filter((value) => !known.some(({ key }) => key === value))
    .map((value): Group => ({ key: value, name: value, values: [0] }));
  const groups = [...known.slice(0, shownMax), ...missing];
  if (groups.length === 0) return null;
  const most = Math.max(1, ...groups.map(({ values }) => values[0] ?? 0));
  const isCode = by === 'error' || by === 'method' || by === 'status';
  return (
    <fieldset className={styles['facet']}>
      <legend>{nouns[by]}</legend>
      {groups.map(({ key, name: own, values }) => {
        const { value, unit } = count(values[0] ?? 0);
        const name = nameOf(by, { key, name: own });
        return (
          <label key={key}>
            <input
              type="checkbox"
              checked={chosen.includes(key)}
              onChange={() => onSearch(toggled(search, by, key))}
            />
            <span className={isCode ? `${styles['name']} mono` : styles['name']} title={name}>
              {name}
            </span>
            <span className="num second">
              {value}
              {unit}
            </span>
            <i
              style={{ width: `${(100 * (values[0] ?? 0)) / most}%` }}
              data-bad={isBad(by, key) || undefined}
            />
          </label>
        );
      })}
    </fieldset>
  );
}

const isBad = (by: Narrowing, key: string): boolean =>
  by === 'error' || (by === 'status' && key.startsWith('5'));
/** What a group is called: requests that no API took, and callers whom no application speaks for, have a key of their own. */
export function groupName(by: Narrowing, { key, name }: Pick<Group, 'key' | 'name'>): string {
  // What was deleted is called by its id.
  if (key !== nobody) return name === key && isId(key) ? shortId(key) : name;
  return by === 'api' ? 'no API' : by === 'application' ? 'no application' : name;
}

/** What groups are called in an environment, its gateways by their hosts. */
export function useNaming(env: string): (by: Narrowing, group: Pick<Group, 'key' | 'name'>) => string {
  const gateway = useGatewayNames(env);
  return (by, group) => (by === 'gateway' ? gateway(group.key) : groupName(by, group));
}

/** The key of what is none, in records. */
export const nobody = '1';

/** What the management API calls the group of requests that have none. */
export const isUnknown = (key: string): boolean => key === '?';

/** What the calls that are shown can be narrowed by, out of themselves. */
export function Facets({
  asked,
  without,
  isOpen,
  ...props
}: SearchProps & {
  readonly asked: Asked;
  readonly without: readonly Narrowing[];
  /** Where there is no room for it beside the calls. */
  readonly isOpen: boolean;
}) {
  const all: readonly Narrowing[] = ['status', 'api', 'application', 'plan', 'error', 'gateway', 'method'];
  return (
    <aside className={styles['facets']} aria-label="Narrow by" data-open={isOpen || undefined}>
      {all
        .filter((by) => !without.includes(by))
        .map((by) => (
          <Facet key={by} asked={asked} by={by} {...props} />
        ))}
    </aside>
  );
}
