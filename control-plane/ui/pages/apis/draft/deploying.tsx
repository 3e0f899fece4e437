import { useMutation, type UseMutationResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { Rocket } from 'lucide-react';
import { createContext, use } from 'react';
import { api, answerOf, type Schemas } from '../../../api/client.ts';
import { useRights } from '../../../api/rights.ts';
import { Button, type ButtonProps } from '../../../kit/button.tsx';
import { CopyAs } from '../../../kit/copy-as.tsx';
import { say } from '../../../kit/toast.tsx';
import { unsaved } from '../questions.ts';

/** What can be done with an API as a whole. */
export type Action = 'deploy' | 'start' | 'stop';

/** What was done last with an API, how it went, and the way to do more. */
export type Acting = UseMutationResult<void, Error, Action> & {
  /** What an action sends. */
  readonly act: (action: Action) => Promise<void>;
};

/** Puts an API in service or takes it out. */
export async function act(env: string, of: Schemas['ApiV4'], action: Action): Promise<void> {
  const params = { path: { envId: env, apiId: of.id } };
  const base = '/management/v2/environments/{envId}/apis/{apiId}';
  if (action === 'deploy') await answerOf(api.POST(`${base}/deployments`, { params, body: {} }));
  // What was never in service waits for nobody's start: whoever deploys it means to serve it.
  const isFirst = action === 'deploy' && of.deployedAt === undefined && of.state === 'STOPPED';
  if (action === 'start' || isFirst) await answerOf(api.POST(`${base}/_start`, { params }));
  if (action === 'stop') await answerOf(api.POST(`${base}/_stop`, { params }));
}

/** What takes an action back. */
const undoes: Readonly<Record<Action, Action | undefined>> = {
  deploy: undefined,
  start: 'stop',
  stop: 'start',
};

/** The same, as whoever shows its pages does. */
export function useActing(env: string, of: Schemas['ApiV4'] | undefined): Acting {
  const queries = useQueryClient();
  const actOn = (action: Action): Promise<void> =>
    of === undefined ? Promise.resolve() : act(env, of, action);
  const askAnew = () => queries.invalidateQueries({ queryKey: ['api', env, of?.id] });
  const mutation = useMutation({
    mutationFn: actOn,
    onSuccess: (_done, action) => {
      const undoing = undoes[action];
      // What a deployment came to, the head of the page says.
      if (of === undefined || undoing === undefined) return;
      say({
        text: `${of.name} is ${action === 'stop' ? 'stopped' : 'started'}`,
        undo: () => actOn(undoing).then(askAnew),
      });
    },
    // What was refused has changed nothing: what is being written stays as it is.
    onSettled: (_done, error) =>
      queries.invalidateQueries({ queryKey: ['api', env, of?.id], exact: error !== null }),
  });
  return { ...mutation, act: actOn };
}

/** One for all buttons of the pages of an API: the head of the page says why a deployment was refused. */
export const ActingContext = createContext<Acting | undefined>(undefined);

/** Deploys the API; waits for what is being written, and is not there for who may not. */
export function DeployButton({
  env,
  id,
  verb = 'Deploy',
  before,
  ...look
}: {
  readonly env: string;
  readonly id: string;
  readonly verb?: string;
  /** What was written for it, which whoever copies the deployment sends first. */
  readonly before?: () => Promise<unknown>;
} & Pick<ButtonProps, 'look' | 'size'>) {
  const acting = use(ActingContext);
  const { data: isUnsaved } = useQuery(unsaved({ env, id }));
  const may = useRights({ env, api: id });
  if (acting === undefined || !may('DEFINITION', 'U')) return null;
  const { size } = look;
  return (
    <>
      <CopyAs
        {...(size !== undefined && { size })}
        change={async () => {
          await before?.();
          await acting.act('deploy');
        }}
      />
      <Button {...look} disabled={acting.isPending || isUnsaved} onClick={() => acting.mutate('deploy')}>
        <Rocket size={14} aria-hidden />
        {verb}
      </Button>
    </>
  );
}
