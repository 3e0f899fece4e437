import { useQuery } from '@tanstack/react-query';
import { type Asked, measured, type Metric } from './questions.ts';
import { spanBefore } from './search.ts';

/** Single figures, in the order of the metrics, with what each was in the span before. */
export function useCompared(asked: Asked, metrics: readonly Metric[]) {
  const { data, error } = useQuery(measured(asked, metrics));
  const { data: before } = useQuery(measured({ ...asked, span: spanBefore(asked.span) }, metrics));
  return { data, before, error };
}
