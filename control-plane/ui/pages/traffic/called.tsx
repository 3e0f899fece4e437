import { useQuery } from '@tanstack/react-query';
import { count } from '../../kit/numbers.ts';
import { Sparkline } from '../../kit/sparkline.tsx';
import { type Group, grouped, type Metric, overTime, requests, requestsOf } from './questions.ts';
import { asOf, narrowings, spanOf, usualSpan } from './search.ts';
import styles from './traffic.module.css';

const metrics: readonly Metric[] = [requests, requestsOf('5xx')];
/** A list that is looked at again shows what it did a moment before. */
const stepMs = 60_000;

/** How often something of a list was called in the last 24 hours, or called others. */
export interface Called {
  /** Undefined where nobody knows, e.g. since the reader may not. */
  readonly calls: number | undefined;
  readonly failed: number | undefined;
  /** The calls over time; empty where there were none, or nobody knows. */
  readonly line: readonly (number | undefined)[];
}

/** Says of each of some APIs or applications how often it was called or called, and how often its calls failed; all rows by two questions. */
export function useCalled(
  env: string,
  by: 'api' | 'application',
  ids: readonly string[],
): (id: string) => Called {
  const asOfMs = Math.ceil(asOf() / stepMs) * stepMs;
  const asked = { env, span: spanOf({ from: usualSpan }, asOfMs), search: { [by]: ids.join(',') } };
  const groups = { by: narrowings[by], limit: Math.max(1, ids.length) };
  const enabled = ids.length > 0;
  const { data } = useQuery({ ...grouped(asked, { ...groups, metrics }), enabled });
  const { data: steps } = useQuery({ ...overTime(asked, [requests], groups), enabled });
  const byId = new Map<string, Group>((data ?? []).map((group) => [group.key, group]));
  const lines = new Map(steps?.lines);
  return (id) => {
    const values = byId.get(id)?.values;
    const line = lines.get(id) ?? [];
    if (values !== undefined) return { calls: values[0], failed: values[1] ?? 0, line };
    // Of what was not called there is no group.
    return { calls: data === undefined ? undefined : 0, failed: undefined, line };
  };
}

/** How often, and how that went. */
export function CalledCell({ called: { calls, failed, line } }: { readonly called: Called }) {
  const { value, unit } = count(calls);
  return (
    <span className={styles['called']}>
      {line.length > 0 && (
        <Sparkline isSmall line={line} color={(failed ?? 0) > 0 ? '--series-3' : '--series-2'} />
      )}
      <span className="num">
        {value}
        {unit !== '' && <span className="quiet"> {unit}</span>}
      </span>
    </span>
  );
}
