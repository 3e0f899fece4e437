import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Schemas } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FilterBox } from '../../kit/field.tsx';
import { PageHeader, Toolbar } from '../../kit/page.tsx';
import { SampleTag } from '../../kit/sample-tag.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { CalledCell, useCalled } from '../traffic/called.tsx';
import { CreateApplication } from './create.tsx';
import { applicationsPerPage, listedApplications, typeWords } from './questions.ts';

const route = getRouteApi('/$env/applications');

/** Who subscribes to APIs. */
export function Applications() {
  const { env } = route.useParams();
  const { q, page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/applications' });
  const [isCreating, setCreating] = useState(false);
  const may = useRights({ env });
  const { data, error } = useQuery(listedApplications(env, { q, page }));
  const called = useCalled(env, 'application', data?.data.map(({ id }) => id) ?? []);
  const create = may('APPLICATION', 'C') ? (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      Create application
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader title="Applications" actions={create} />
      <Toolbar>
        <FilterBox
          label="Filter by name"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="Applications"
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(env, called)}
        paging={
          data && {
            page,
            perPage: applicationsPerPage,
            total: data.page.total_elements,
            onPage: (next) => void navigate({ search: (before) => ({ ...before, page: next }) }),
          }
        }
        empty={<NoApplications q={q} onClear={() => void navigate({ search: {} })} create={create} />}
      />
      <CreateApplication env={env} isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

function columnsOf(
  env: string,
  called: ReturnType<typeof useCalled>,
): readonly Column<Schemas['Application']>[] {
  return [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <>
          <Link to="/$env/applications/$application" params={{ env, application: id }}>
            {name}
          </Link>{' '}
          <SampleTag env={env} id={id} />
        </>
      ),
    },
    {
      title: 'Description',
      cell: ({ description }) => <span className="second clip">{description}</span>,
    },
    { title: 'Type', cell: ({ type }) => <Tag>{typeWords(type)}</Tag> },
    { title: 'Calls, 24 h', align: 'end', cell: ({ id }) => <CalledCell called={called(id)} /> },
    { title: 'Owner', cell: ({ owner }) => <span className="second">{owner?.displayName ?? '–'}</span> },
    { title: 'Changed', align: 'end', cell: ({ updated_at: at }) => <Time at={at} /> },
  ];
}

function NoApplications({
  q,
  onClear,
  create,
}: {
  readonly q: string | undefined;
  readonly onClear: () => void;
  readonly create: ReactNode;
}) {
  if (q !== undefined)
    return (
      <Empty title="No application matches" action={<Button onClick={onClear}>Clear the filter</Button>}>
        None of the applications that you may see has “{q}” in its name.
      </Empty>
    );
  return (
    <Empty title="No applications yet" action={create}>
      An application subscribes to plans of APIs, and holds the keys with which it calls them.
    </Empty>
  );
}
