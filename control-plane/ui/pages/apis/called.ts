import { useQuery } from '@tanstack/react-query';
import { type Group, grouped, type Metric, requests, requestsOf } from '../traffic/questions.ts';
import { asOf, narrowings, spanOf, usualSpan } from '../traffic/search.ts';

const metrics: readonly Metric[] = [requests, requestsOf('5xx')];
/** A list that is looked at again shows what it did a moment before. */
const stepMs = 60_000;

/** How often some APIs were called in the last 24 hours. */
export interface Called {
  /** Undefined where nobody knows, e.g. since the reader may not. */
  readonly calls: number | undefined;
  readonly failed: number | undefined;
}

/** Says of each of some APIs how often it was called, and how often its calls failed; all by one question. */
export function useCalled(env: string, ids: readonly string[]): (id: string) => Called {
  const asOfMs = Math.ceil(asOf() / stepMs) * stepMs;
  const asked = { env, span: spanOf({ from: usualSpan }, asOfMs), search: { api: ids.join(',') } };
  const { data } = useQuery({
    ...grouped(asked, { by: narrowings.api, metrics, limit: Math.max(1, ids.length) }),
    enabled: ids.length > 0,
  });
  const byId = new Map<string, Group>((data ?? []).map((group) => [group.key, group]));
  return (id) => {
    const values = byId.get(id)?.values;
    if (values !== undefined) return { calls: values[0], failed: values[1] ?? 0 };
    // Of what was not called there is no group.
    return data === undefined ? { calls: undefined, failed: undefined } : { calls: 0, failed: undefined };
  };
}
