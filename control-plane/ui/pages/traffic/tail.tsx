import { Pause, Play } from 'lucide-react';
import { useReducer, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { liveUrl, useLive } from '../../api/live.ts';
import { Button } from '../../kit/button.tsx';
import { LiveMark } from '../../kit/live-mark.tsx';
import { count } from '../../kit/numbers.ts';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { liveQuery, type TrafficSearch } from './search.ts';
import styles from './traffic.module.css';

type Call = Schemas['EnvironmentApiLog'];

/** Most calls that are shown, and that wait while nothing moves; older ones are in the list. */
const callsMax = 200;

interface Followed {
  readonly shown: readonly Call[];
  /** Came while nothing moved. */
  readonly waiting: readonly Call[];
  readonly missed: number;
}
type Happened =
  | { readonly kind: 'call'; readonly call: Call; readonly isPaused: boolean }
  | { readonly kind: 'skipped'; readonly count: number }
  | { readonly kind: 'resumed' };

const none: Followed = { shown: [], waiting: [], missed: 0 };

function followed(before: Followed, happened: Happened): Followed {
  switch (happened.kind) {
    case 'call': {
      // After a break one may come twice.
      const isKnown = [...before.shown, ...before.waiting].some(({ id }) => id === happened.call.id);
      if (isKnown) return before;
      const place = happened.isPaused ? 'waiting' : 'shown';
      return { ...before, [place]: [happened.call, ...before[place]].slice(0, callsMax) };
    }
    case 'skipped':
      return { ...before, missed: before.missed + happened.count };
    case 'resumed':
      return { ...before, shown: [...before.waiting, ...before.shown].slice(0, callsMax), waiting: [] };
  }
}

/** Calls as they arrive, the newest first, as long as nobody halts them. */
export function Tail({
  env,
  search,
  columns,
}: {
  readonly env: string;
  readonly search: TrafficSearch;
  readonly columns: readonly Column<Call>[];
}) {
  const [isPaused, setPaused] = useState(false);
  const [{ shown, waiting, missed }, tell] = useReducer(followed, none);
  const state = useLive(liveUrl(env, 'logs', liveQuery(search)), ['call', 'skipped'], (name, said) =>
    tell(
      name === 'call'
        ? { kind: 'call', call: said as Call, isPaused }
        : { kind: 'skipped', count: (said as { readonly count: number }).count },
    ),
  );
  const halt = (): void => {
    if (isPaused) tell({ kind: 'resumed' });
    setPaused(!isPaused);
  };
  return (
    <section className={styles['rows']} aria-label="Calls as they arrive">
      <div className={`${styles['line']} ${styles['tail']}`}>
        <LiveMark state={state} isPaused={isPaused} off="No connection; the list has all calls" />
        <Button size="small" onClick={halt}>
          {isPaused ? <Play size={12} aria-hidden /> : <Pause size={12} aria-hidden />}
          {isPaused ? 'Resume' : 'Pause'}
        </Button>
        {isPaused && waiting.length > 0 && (
          <span className="second num">{count(waiting.length).value} came since</span>
        )}
        {missed > 0 && (
          <span className="second num">{count(missed).value} were too many to show; the list has them</span>
        )}
      </div>
      <DataTable
        label="Calls as they arrive"
        rows={shown}
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty title="Waiting for calls">
            They appear here some seconds after a gateway has answered them.
          </Empty>
        }
      />
    </section>
  );
}
