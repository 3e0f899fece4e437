import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Schemas } from '../../api/client.ts';
import { liveUrl, useLive } from '../../api/live.ts';
import { deploymentOf } from './questions.ts';

type Deployed = Schemas['CurrentApiDeployment'];

/** How often it is asked where no stream tells of it: soon while a gateway has not taken it yet. */
const askedMs = { pending: 500, settled: 3_000 };

/** What gateways have of an API, as they say it: followed, or asked again and again where that breaks. */
export function useDeployed(
  at: { readonly env: string; readonly id: string },
  isEnabled = true,
): ReturnType<typeof useQuery<Deployed>> & { readonly live: ReturnType<typeof useLive> } {
  const queries = useQueryClient();
  const { queryKey } = deploymentOf(at);
  const url = isEnabled ? liveUrl(at.env, `apis/${at.id}/deployments`) : undefined;
  const live = useLive(url, ['deployment'], (_name, said) => {
    const before = queries.getQueryData<Deployed>(queryKey);
    const next = said as Partial<Deployed>;
    // What it is made of is in no event; where another one was deployed it is asked for.
    if (
      before === undefined ||
      before.number !== next.number ||
      before.gateways.length > (next.gateways?.length ?? 0)
    )
      return void queries.invalidateQueries({ queryKey });
    queries.setQueryData<Deployed>(queryKey, { ...before, ...next });
  });
  const query = useQuery({
    ...deploymentOf(at),
    enabled: isEnabled,
    refetchInterval: ({ state: { data } }) => {
      if (live === 'live') return false;
      const isPending = data?.gateways.some(({ deployment }) => deployment === 'pending') === true;
      return isPending ? askedMs.pending : askedMs.settled;
    },
  });
  return { ...query, live };
}
