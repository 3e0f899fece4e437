import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import type { Schemas } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import { buttonLook } from '../../kit/button.tsx';
import { Toolbar } from '../../kit/page.tsx';
import { Status, Tag, type Tone } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { securityWords } from '../subscriptions/words.ts';
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
  const { data, error } = useQuery(plansOf({ env, id }));
  const may = useRights({ env, api: id });
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
      <DataTable
        label="Plans"
        rows={data?.data}
        error={error}
        keyOf={({ id: plan }) => plan}
        columns={[
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
