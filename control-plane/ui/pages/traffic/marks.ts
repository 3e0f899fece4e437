import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, answerOf, organization } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import type { Mark } from '../../kit/time-chart.tsx';
import type { Asked } from './questions.ts';
import { valuesOf } from './search.ts';

/** More of them would hide what they explain. */
const marksMax = 50;

const deployedIn = ({ env, span: { fromMs, toMs }, search }: Asked) => {
  const apis = valuesOf(search, 'api');
  const [only] = apis.length === 1 ? apis : [];
  return queryOptions({
    queryKey: ['deployments', env, 'marks', fromMs, toMs, only],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/audit', {
          params: {
            path: { orgId: organization, envId: env },
            query: {
              ...(only === undefined ? { type: 'API' } : { api: only }),
              event: ['API_DEPLOYED'],
              from: fromMs,
              to: toMs,
              size: marksMax,
            },
          },
        }),
      ),
    placeholderData: (before) => before,
  });
};

/** The deployments of a span, the last {@link marksMax} of them; none for who may not read the audit. */
export function useDeploymentMarks(asked: Asked): readonly Mark[] {
  const may = useRights({ env: asked.env })('AUDIT', 'R');
  const { data } = useQuery({ ...deployedIn(asked), enabled: may });
  const shown = new Set(valuesOf(asked.search, 'api'));
  return (data?.content ?? [])
    .filter(({ referenceId }) => shown.size === 0 || shown.has(referenceId))
    .map(({ referenceId, createdAt }) => ({
      atMs: createdAt,
      name: data?.metadata[`API:${referenceId}:name`] ?? 'An API',
    }))
    .toReversed();
}
