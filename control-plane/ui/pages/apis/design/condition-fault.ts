import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, answerOf, organization } from '../../../api/client.ts';
import type { Lane } from './flows.ts';

/** How long somebody has to stop writing before it is judged. */
const typedMs = 400;

/** What is wrong with a condition, judged a moment after it was written; undefined while nothing is known to be. */
export function useConditionFault(text: string, lane: Lane): string | undefined {
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), typedMs);
    return () => clearTimeout(timer);
  }, [text]);
  const { data } = useQuery({
    queryKey: ['expression', lane, asked],
    queryFn: () =>
      answerOf(
        api.POST('/management/v2/organizations/{orgId}/expressions/_check', {
          params: { path: { orgId: organization } },
          body: { text: asked, kind: 'CONDITION', phase: lane === 'request' ? 'REQUEST' : 'RESPONSE' },
        }),
      ),
    enabled: asked.trim() !== '',
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (asked !== text || asked.trim() === '') return undefined;
  const [told] = [...(data?.faults ?? []), ...(data?.warnings ?? [])];
  return told && `${told.message} (at character ${told.at + 1})`;
}
