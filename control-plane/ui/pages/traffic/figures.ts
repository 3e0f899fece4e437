import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type Asked, measured, type Metric } from './questions.ts';
import { asOf } from './search.ts';

/** What pages with figures of traffic share. */

const lookAgainMs = 30_000;

/** Until when figures are asked for: now, again and again, and whenever somebody wants to. */
export function useAsOf(): readonly [asOfMs: number, lookNow: () => void] {
  const [asOfMs, setAsOf] = useState(asOf);
  const lookNow = (): void => setAsOf(asOf());
  useEffect(() => {
    const timer = setInterval(() => setAsOf(asOf()), lookAgainMs);
    return () => clearInterval(timer);
  }, []);
  return [asOfMs, lookNow];
}

/** Single figures, in the order of the metrics, with what each was in the span before. */
export function useCompared(asked: Asked, metrics: readonly Metric[]) {
  const { fromMs, toMs } = asked.span;
  const former: Asked = { ...asked, span: { fromMs: fromMs - (toMs - fromMs), toMs: fromMs } };
  const { data, error } = useQuery(measured(asked, metrics));
  const { data: before } = useQuery(measured(former, metrics));
  return { data, before, error };
}
