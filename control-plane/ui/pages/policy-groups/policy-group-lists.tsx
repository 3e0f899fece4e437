import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from '../../kit/button.tsx';
import { ToldDialog } from '../../kit/dialog.tsx';
import { Code } from '../../kit/code.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { historyOfGroup, type PolicyGroup, policyGroupsPerPage, usersOfGroup } from './questions.ts';

interface Props {
  readonly env: string;
  readonly id: string;
}

/** What each deployment sent to gateways. */
export function GroupHistory({ env, id }: Props) {
  const [page, setPage] = useState(1);
  const [shown, setShown] = useState<PolicyGroup>();
  const { data, error } = useQuery(historyOfGroup(env, id, page));
  const columns: readonly Column<PolicyGroup>[] = [
    { title: 'Version', cell: ({ version }) => `Version ${version}` },
    { title: 'Steps', align: 'end', cell: ({ steps = [] }) => <span className="num">{steps.length}</span> },
    {
      title: 'Deployed',
      align: 'end',
      cell: ({ deployedAt }) => (deployedAt === undefined ? '–' : <Time at={deployedAt} />),
    },
    {
      title: 'What it was',
      align: 'end',
      isDeeds: true,
      cell: (version) => (
        <Button
          size="small"
          look="quiet"
          aria-label={`Show version ${version.version}`}
          onClick={() => setShown(version)}
        >
          Show
        </Button>
      ),
    },
  ];
  return (
    <>
      <DataTable
        label="History"
        rows={data?.data}
        error={error}
        keyOf={({ version }) => String(version)}
        columns={columns}
        paging={
          data && {
            page,
            perPage: policyGroupsPerPage,
            total: data.pagination.totalCount,
            onPage: setPage,
          }
        }
        empty={
          <Empty title="Never deployed">Each deployment is kept here with the steps that it sent.</Empty>
        }
      />
      {shown !== undefined && (
        <ToldDialog title={`Version ${shown.version}`} isOpen onClose={() => setShown(undefined)}>
          <Code label="Steps" text={JSON.stringify(shown.steps ?? [], null, 2)} />
        </ToldDialog>
      )}
    </>
  );
}

/** The deployed APIs in which it is in force. */
export function GroupUsers({ env, id }: Props) {
  const [page, setPage] = useState(1);
  const { data, error } = useQuery(usersOfGroup(env, id, page));
  return (
    <DataTable
      label="APIs that use it"
      rows={data?.data}
      error={error}
      keyOf={(api) => api.id}
      columns={[
        {
          title: 'API',
          cell: ({ id: api, name }) => (
            <Link to="/$env/apis/$api/design" params={{ env, api }}>
              {name}
            </Link>
          ),
        },
      ]}
      paging={
        data && {
          page,
          perPage: policyGroupsPerPage,
          total: data.pagination.totalCount,
          onPage: setPage,
        }
      }
      empty={<Empty title="No deployed API uses it">It can be taken from gateways.</Empty>}
    />
  );
}
