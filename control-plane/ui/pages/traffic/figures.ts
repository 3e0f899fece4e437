import { useQuery } from '@tanstack/react-query';
import { type Asked, measured, type Metric } from './questions.ts';
import { spanBefore } from './search.ts';

/** Single figures, in the order of the metrics, with what each was in the span that they are compared with. */
export function useCompared(asked: Asked, metrics: readonly Metric[]) {
  const { data, error } = useQuery(measured(asked, metrics));
  const { data: before } = useQuery(
    measured({ ...asked, span: spanBefore(asked.span, asked.search.against) }, metrics),
  );
  return { data, before, error };
}
