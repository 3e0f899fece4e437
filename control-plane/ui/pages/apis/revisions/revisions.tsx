import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { Schemas } from '../../../api/client.ts';
import { Status, Tag } from '../../../kit/status.tsx';
import { type Column, DataTable } from '../../../kit/table.tsx';
import { Time } from '../../../kit/time.tsx';
import { Empty } from '../../../kit/told.tsx';
import { DeployButton } from '../draft/deploying.tsx';
import { listedRevisions, revisionsPerPage } from './questions.ts';

const route = getRouteApi('/$env/apis/$api/revisions');

/** What an API was each time it was deployed. */
export function ApiRevisions() {
  const { env, api: id } = route.useParams();
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/apis/$api/revisions' });
  const { data, error } = useQuery(listedRevisions({ env, id }, page));
  return (
    <DataTable
      label="Revisions"
      rows={data?.data}
      error={error}
      keyOf={({ number }) => String(number)}
      columns={columnsOf(env, id)}
      paging={
        data && {
          page,
          perPage: revisionsPerPage,
          total: data.pagination.totalCount,
          onPage: (next) => void navigate({ search: { page: next } }),
        }
      }
      empty={
        <Empty
          title="Never deployed"
          action={<DeployButton env={env} id={id} look="primary" verb="Deploy and start" />}
        >
          Each deployment is kept as a revision, which can be compared and gone back to.
        </Empty>
      }
    />
  );
}

function columnsOf(env: string, api: string): readonly Column<Schemas['ApiRevision']>[] {
  return [
    {
      title: 'Revision',
      cell: ({ number }) => (
        <Link to="/$env/apis/$api/revisions/$number" params={{ env, api, number: String(number) }}>
          Revision {number}
        </Link>
      ),
    },
    {
      title: 'Label',
      cell: ({ label }) => (label === undefined ? <span className="quiet">–</span> : <Tag>{label}</Tag>),
    },
    {
      title: 'State',
      cell: ({ isCurrent }) =>
        isCurrent ? <Status tone="ok">In service</Status> : <Status tone="idle">Replaced</Status>,
    },
    {
      title: 'Deployed by',
      cell: ({ deployedBy: { displayName, id } }) => <span className="second">{displayName ?? id}</span>,
    },
    { title: 'When', align: 'end', cell: ({ deployedAt }) => <Time at={deployedAt} /> },
  ];
}
