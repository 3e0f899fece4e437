import { queryOptions, useQuery } from '@tanstack/react-query';
import { createContext, use, useEffect, useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import type { ExpressionKind, Vocabulary } from './complete.ts';

type Places = NonNullable<Schemas['ExpressionCheck']['places']>;

const params = { path: { orgId: organization } };

/** How long somebody has to stop writing before it is judged. */
const typedMs = 400;

/** When what is written runs. In an answer everything is known, so that nothing is warned of where nobody says. */
export const ExpressionPhase = createContext<'REQUEST' | 'RESPONSE'>('RESPONSE');

/** The words of the language are those of the program that answers. */
export const vocabulary = queryOptions({
  queryKey: ['expression', 'vocabulary'],
  queryFn: async (): Promise<Vocabulary> => {
    const [roots, words] = await Promise.all([
      answerOf(api.GET('/management/v2/organizations/{orgId}/expressions/roots', { params })),
      answerOf(api.GET('/management/v2/organizations/{orgId}/expressions/words', { params })),
    ]);
    return { roots, words };
  },
  staleTime: Number.POSITIVE_INFINITY,
});

/** What is wrong with a text, judged a moment after it was written; undefined while nothing is known to be. */
export function useExpressionFault(text: string, kind: ExpressionKind): string | undefined {
  const phase = use(ExpressionPhase);
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), typedMs);
    return () => clearTimeout(timer);
  }, [text]);
  // A text without an expression is one, whatever stands in it.
  const isAsked = kind === 'TEMPLATE' ? /\{(?:[#(]|T\()/.test(asked) : asked.trim() !== '';
  const { data: known } = useQuery({ ...vocabulary, enabled: isAsked });
  // Which of them a field knows is judged with the whole definition.
  const places =
    kind === 'TEMPLATE' ? known?.roots.flatMap(({ name, place }) => (place === undefined ? [] : [name])) : [];
  const { data } = useQuery({
    queryKey: ['expression', kind, phase, asked],
    queryFn: () =>
      answerOf(
        api.POST('/management/v2/organizations/{orgId}/expressions/_check', {
          params,
          body: { text: asked, kind, phase, ...(places && { places: places as Places }) },
        }),
      ),
    enabled: isAsked && places !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (asked !== text || !isAsked) return undefined;
  const [told] = [...(data?.faults ?? []), ...(data?.warnings ?? [])];
  return told && `${told.message} (at character ${told.at + 1})`;
}
