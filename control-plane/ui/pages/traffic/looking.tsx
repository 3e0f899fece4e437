import { ChevronDown, Plus, RotateCw } from 'lucide-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Button } from '../../kit/button.tsx';
import { Menu } from '../../kit/menu.tsx';
import { count, moment, worded } from '../../kit/numbers.ts';
import { isUnknown, nouns, type OnSearch, useNaming } from './narrow.tsx';
import { type Asked, grouped, namesOfIds, requests } from './questions.ts';
import { asOf, type Narrowing, narrowings, toggled, type TrafficSearch, valuesOf } from './search.ts';
import styles from './traffic.module.css';

/** When figures are looked at, and what they are narrowed by: what stands above every dashboard. */

const everyMs = [
  [10_000, 'Every 10 s'],
  [30_000, 'Every 30 s'],
  [60_000, 'Every minute'],
  [300_000, 'Every 5 minutes'],
  [0, 'Not by itself'],
] as const;
const usualMs = 30_000;

/** Until when figures are asked for, and how often that moves on. */
export interface Looking {
  readonly asOfMs: number;
  readonly againMs: number;
  readonly setAgain: (ms: number) => void;
  readonly lookNow: () => void;
}

/** Figures until now, again and again, and whenever somebody wants to. */
export function useLooking(): Looking {
  const [asOfMs, setAsOf] = useState(asOf);
  const [againMs, setAgain] = useState<number>(usualMs);
  const lookNow = (): void => setAsOf(asOf());
  useEffect(() => {
    if (againMs === 0) return undefined;
    const timer = setInterval(() => setAsOf(asOf()), againMs);
    return () => clearInterval(timer);
  }, [againMs]);
  return { asOfMs, againMs, setAgain, lookNow };
}

/** Looks anew, and says how often that is done without anybody's asking. */
export function Refresh({ asOfMs, againMs, setAgain, lookNow }: Looking) {
  return (
    <>
      <Button onClick={lookNow} title={`As of ${moment(asOfMs).slice(11, 19)}`}>
        <RotateCw size={14} aria-hidden />
        Refresh
      </Button>
      <Menu
        trigger={
          <Button title="How often figures are looked at anew">
            <span className="num">{everyMs.find(([ms]) => ms === againMs)?.[1]}</span>
            <ChevronDown size={14} aria-hidden />
          </Button>
        }
        items={everyMs.map(([ms, words]) => ({ id: words, label: words, onChoose: () => setAgain(ms) }))}
      />
    </>
  );
}

const offeredMax = 50;
const offered: readonly Narrowing[] = ['api', 'application', 'plan', 'gateway'];

const named = ['api', 'application', 'plan'] as const;
const noNames: ReadonlyMap<string, string> = new Map();

/** Names of what a search is narrowed by, for its chips. */
export function useChosenNames(env: string, search: TrafficSearch): ReadonlyMap<string, string> {
  const ids = Object.fromEntries(
    named.map((by) => [by, valuesOf(search, by)] as const).filter(([, values]) => values.length > 0),
  );
  const { data } = useQuery({ ...namesOfIds(env, ids), enabled: Object.keys(ids).length > 0 });
  return data ?? noNames;
}

/** Buttons that narrow figures to some APIs, applications and gateways. */
export const Narrowers = ({
  asked,
  without = [],
  ...props
}: {
  readonly asked: Asked;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
  /** What the page is about already. */
  readonly without?: readonly Narrowing[];
}) => (
  <>
    {offered
      .filter((by) => !without.includes(by))
      .map((by) => (
        <Narrower key={by} by={by} asked={asked} {...props} />
      ))}
  </>
);

function Narrower({
  by,
  asked,
  search,
  onSearch,
}: {
  readonly by: Narrowing;
  readonly asked: Asked;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}) {
  const [isOpen, setOpen] = useState(false);
  const nameOf = useNaming(asked.env);
  const { data } = useQuery({
    ...grouped(asked, { by: narrowings[by], metrics: [requests], limit: offeredMax, without: by }),
    enabled: isOpen,
  });
  const chosen = valuesOf(search, by);
  const groups = (data ?? []).filter(({ key }) => !isUnknown(key));
  return (
    <Menu
      onOpen={setOpen}
      {...(data === undefined || groups.length === 0
        ? { head: data === undefined ? 'Asking …' : 'None in this time' }
        : {})}
      trigger={
        <button type="button" className={styles['add']}>
          <Plus size={14} aria-hidden />
          {nouns[by]}
        </button>
      }
      items={groups.map((group) => ({
        id: group.key,
        label: (
          <>
            {chosen.includes(group.key) ? '✓ ' : ''}
            {nameOf(by, group)} <span className="quiet num">{worded(count(group.values[0]))}</span>
          </>
        ),
        onChoose: () => onSearch(toggled(search, by, group.key)),
      }))}
    />
  );
}
