import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowDown, ArrowUp, Plus } from 'lucide-react';
import type { Schemas } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import { buttonLook, IconButton } from '../../kit/button.tsx';
import { Toolbar } from '../../kit/page.tsx';
import { Status, Tag, type Tone } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';
import { securityWords } from '../subscriptions/words.ts';
import styles from './inside.module.css';
import { orderPlans, type Plan } from './plan-questions.ts';
import { plansOf } from './questions.ts';

const route = getRouteApi('/$env/apis/$api');

/** What the state of a plan is called, and how it is meant. */
export const planStates: Readonly<Record<Schemas['PlanV4']['status'], readonly [Tone, string]>> = {
  STAGING: ['warn', 'Staging'],
  PUBLISHED: ['ok', 'Published'],
  DEPRECATED: ['warn', 'Deprecated'],
  CLOSED: ['idle', 'Closed'],
};

/** The ways into an API. */
export function ApiPlans() {
  const { env, api: id } = route.useParams();
  const queries = useQueryClient();
  const { data, error } = useQuery(plansOf({ env, id }));
  const may = useRights({ env, api: id });
  const ordering = useMutation({
    mutationFn: (plans: readonly Plan[]) => orderPlans({ env, id }, plans),
    onSettled: () => queries.invalidateQueries({ queryKey: ['api', env, id] }),
  });
  // Nobody is matched with a closed one, wherever it stands.
  const open = data?.data.filter(({ status }) => status !== 'CLOSED') ?? [];
  const rows = data && [...open, ...data.data.filter(({ status }) => status === 'CLOSED')];
  const canOrder = may('PLAN', 'U') && open.length > 1;
  const create = may('PLAN', 'C') ? (
    <Link
      className={buttonLook.plain}
      to="/$env/apis/$api/plans/$plan"
      params={{ env, api: id, plan: 'new' }}
    >
      <Plus size={16} aria-hidden />
      Create plan
    </Link>
  ) : undefined;
  return (
    <>
      <Toolbar end={create}>
        <span className="second">A caller enters by the first plan that its key or token fits.</span>
      </Toolbar>
      {ordering.error !== null && (
        <div className="inset">
          <ProblemBox error={ordering.error} />
        </div>
      )}
      <DataTable
        label="Plans"
        rows={rows}
        error={error}
        keyOf={({ id: plan }) => plan}
        columns={[
          ...columnsOf(env, id),
          ...(canOrder ? [orderColumn({ open, isBusy: ordering.isPending, onOrder: ordering.mutate })] : []),
        ]}
        empty={
          <Empty title="No plan yet">
            Without a published plan nobody can call this API, and it cannot be deployed.
          </Empty>
        }
      />
    </>
  );
}

const columnsOf = (env: string, id: string): readonly Column<Plan>[] => [
  {
    title: 'Name',
    cell: ({ id: plan, name }) => (
      <Link to="/$env/apis/$api/plans/$plan" params={{ env, api: id, plan }}>
        {name}
      </Link>
    ),
  },
  { title: 'Security', cell: ({ security }) => <Tag>{securityWords(security.type)}</Tag> },
  {
    title: 'State',
    cell: ({ status }) => <Status tone={planStates[status][0]}>{planStates[status][1]}</Status>,
  },
  {
    title: 'Subscriptions',
    cell: ({ validation, security }) => (
      <span className="second">
        {security.type === 'KEY_LESS'
          ? 'nobody needs one'
          : validation === 'MANUAL'
            ? 'somebody decides'
            : 'accepted at once'}
      </span>
    ),
  },
  {
    title: 'Changed',
    align: 'end',
    cell: ({ updatedAt }) => <Time at={updatedAt} />,
  },
];

/** Moves a plan before or behind the one beside it. */
function orderColumn({
  open,
  isBusy,
  onOrder,
}: {
  readonly open: readonly Plan[];
  readonly isBusy: boolean;
  readonly onOrder: (plans: readonly Plan[]) => void;
}): Column<Plan> {
  const swapped = (at: number, other: number): readonly Plan[] => {
    const [one, two] = [open[at], open[other]];
    return one === undefined || two === undefined ? open : open.with(at, two).with(other, one);
  };
  return {
    title: 'Order',
    align: 'end',
    cell: ({ id, name }) => {
      const at = open.findIndex((plan) => plan.id === id);
      if (at === -1) return null;
      return (
        <span className={styles['order']}>
          <IconButton
            label={`Match ${name} earlier`}
            disabled={isBusy || at === 0}
            onClick={() => onOrder(swapped(at, at - 1))}
          >
            <ArrowUp size={14} aria-hidden />
          </IconButton>
          <IconButton
            label={`Match ${name} later`}
            disabled={isBusy || at === open.length - 1}
            onClick={() => onOrder(swapped(at, at + 1))}
          >
            <ArrowDown size={14} aria-hidden />
          </IconButton>
        </span>
      );
    },
  };
}
