import { queryOptions, useQuery } from '@tanstack/react-query';
import { GitCompare } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf } from '../../../api/client.ts';
import { Problem } from '../../../api/problem.ts';
import { Button } from '../../../kit/button.tsx';
import { ToldDialog } from '../../../kit/dialog.tsx';
import { Differences as DifferenceList } from '../../../kit/differences.tsx';
import { Status } from '../../../kit/status.tsx';
import { ProblemBox } from '../../../kit/told.tsx';
import { deploymentOf, oneApi } from '../questions.ts';
import { DeployButton } from './deploying.tsx';
import styles from './draft.module.css';
import { FaultList } from './faults.tsx';

interface At {
  readonly env: string;
  readonly id: string;
}

/** What the next deployment would change of what gateways have. */
const changesOf = ({ env, id }: At, number: number | undefined) =>
  queryOptions({
    queryKey: ['api', env, id, 'changes', number],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/deployments/{number}/_diff', {
          params: {
            path: { envId: env, apiId: id, number: String(number) },
            query: { against: 'current' },
          },
        }),
      ),
    enabled: number !== undefined,
    staleTime: 0,
  });

/** How far what is stored and drafted of an API is ahead of what gateways have of it. */
interface Ahead {
  readonly hasDraft: boolean;
  /** Undefined until it is known, and where {@link error} says why it cannot be. */
  readonly count: number | undefined;
  readonly error: Error | null;
}

/** What a deployment would change; undefined where there is nothing to deploy, or nothing was ever deployed. */
export function useAhead({ env, id }: At): Ahead | undefined {
  const { data: of } = useQuery(oneApi({ env, id }));
  const isAhead =
    of?.deployedAt !== undefined && (of.hasDraft === true || of.deploymentState === 'NEED_REDEPLOY');
  const { data: deployed } = useQuery({ ...deploymentOf({ env, id }), enabled: isAhead });
  const { data, error } = useQuery({
    ...changesOf({ env, id }, deployed?.number),
    enabled: isAhead && deployed !== undefined,
  });
  const hasDraft = of?.hasDraft === true;
  const count = data?.differences.length;
  // What was changed and changed back leaves a mark that there was something, and nothing to deploy.
  if (!isAhead || (!hasDraft && error === null && (count ?? 0) === 0)) return undefined;
  return { hasDraft, count, error };
}

/** A line that says how far ahead of gateways an API is, and deploys it; nothing while they have all of it. */
export function ChangesBar({ env, id }: At) {
  const ahead = useAhead({ env, id });
  if (ahead === undefined) return null;
  const { count, error } = ahead;
  const details = error === null ? [] : Problem.of(error).details;
  return (
    <div className={styles['draft']} data-tone="warn" role="status">
      <Status tone={error === null ? 'warn' : 'bad'}>
        {error === null ? aheadWords(count) : 'The draft cannot be deployed as it is'}
      </Status>
      <span className={styles['grow']} />
      {error === null && count !== 0 && <Compare env={env} id={id} />}
      <DeployButton env={env} id={id} size="small" look="primary" />
      {error !== null && details.length === 0 && <ProblemBox error={error} />}
      <FaultList env={env} id={id} faults={details} />
    </div>
  );
}

/** How many changes are not deployed. */
export function aheadWords(count: number | undefined): string {
  if (count === undefined) return 'Changes are not deployed';
  // Drafted and taken back, or a label: what gateways are told of does not differ.
  if (count === 0) return 'A draft is kept; gateways already have all that it says';
  return count === 1 ? '1 change is not deployed' : `${count} changes are not deployed`;
}

/** A button that shows what the next deployment changes. */
export function Compare({ env, id }: At) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        <GitCompare size={14} aria-hidden />
        Compare
      </Button>
      {isOpen && <Differences env={env} id={id} onClose={() => setOpen(false)} />}
    </>
  );
}

function Differences({ env, id, onClose }: At & { readonly onClose: () => void }) {
  const { data: deployed, error: none } = useQuery(deploymentOf({ env, id }));
  const { data, error } = useQuery(changesOf({ env, id }, deployed?.number));
  return (
    <ToldDialog
      title="What a deployment changes"
      about={deployed === undefined ? '' : `Compared with deployment ${deployed.number}.`}
      isOpen
      isWide
      onClose={onClose}
      done="Close"
    >
      {(none ?? error) !== null && <ProblemBox error={none ?? error} />}
      {data?.differences.length === 0 && <p className="second">Nothing that concerns gateways.</p>}
      <DifferenceList differences={data?.differences ?? []} words={['Deployed', 'New']} />
    </ToldDialog>
  );
}
