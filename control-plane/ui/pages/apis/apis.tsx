import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Import, Plus } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import { Button, buttonLook } from '../../kit/button.tsx';
import { useChoosing } from '../../kit/choosing.tsx';
import { FilterBox } from '../../kit/field.tsx';
import { type Figure, share, unknown } from '../../kit/numbers.ts';
import { PageHeader, Toolbar } from '../../kit/page.tsx';
import { SampleTag } from '../../kit/sample-tag.tsx';
import { Share, Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { listSearch } from '../../routes/roots.tsx';
import { ColumnsButton, titlesOf, useColumns } from '../lists/columns.tsx';
import { Views } from '../lists/views.tsx';
import { aliveMs, useGatewaysLive } from '../fleets.ts';
import { CalledCell, useCalled } from '../traffic/called.tsx';
import { ApisTogether } from './apis-together.tsx';
import { CreateApi } from './create.tsx';
import { apisPerPage, listedApis, pathsOf, stateOf } from './questions.ts';

const route = getRouteApi('/$env/apis');
/** How often it is asked where no stream tells of gateways. */
const askedMs = 10_000;

/** A page of the list: followed, since gateways say what they run a moment after a deployment; what people change is looked for beside that. */
function useListed(wish: Parameters<typeof listedApis>[0]) {
  const live = useGatewaysLive(wish.env);
  return useQuery({ ...listedApis(wish), refetchInterval: live === 'live' ? aliveMs : askedMs });
}

/** The APIs of an environment. */
export function Apis() {
  const { env } = route.useParams();
  const search = route.useSearch();
  const { q, page = 1, sort = 'name' } = search;
  const navigate = useNavigate({ from: '/$env/apis' });
  const [isCreating, setCreating] = useState(false);
  const may = useRights({ env });
  const { data, error } = useListed({ env, q, page, sort });
  const choosing = useChoosing(data?.data, idOf, nameOf);
  const all = columnsOf(env, useCalled(env, 'api', (data?.data ?? []).map(idOf)));
  const columns = useColumns('apis', all);
  const create = may('API', 'C') ? (
    <>
      <Link className={buttonLook.plain} to="/$env/apis/import" params={{ env }}>
        <Import size={14} aria-hidden />
        Import
      </Link>
      <Button look="primary" onClick={() => setCreating(true)}>
        <Plus size={16} aria-hidden />
        Create API
      </Button>
    </>
  ) : undefined;
  return (
    <>
      <PageHeader title="APIs" actions={create} />
      <Views
        env={env}
        page="APIS"
        search={search}
        onOpen={(next) => void navigate({ search: listSearch(next) })}
      />
      <Toolbar end={<ColumnsButton table="apis" titles={titlesOf(all)} />}>
        <FilterBox
          label="Filter by name or path"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="APIs"
        leads
        choosing={may('API', 'C') ? choosing : undefined}
        columns={columns}
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        sortBy={sort}
        onSort={(next) => void navigate({ search: (before) => ({ ...before, sort: next, page: 1 }) })}
        paging={
          data && {
            page,
            perPage: apisPerPage,
            total: data.pagination.totalCount,
            onPage: (next) => void navigate({ search: (before) => ({ ...before, page: next }) }),
          }
        }
        empty={<NoApis q={q} onClear={() => void navigate({ search: {} })} create={create} />}
      />
      {may('API', 'C') && <ApisTogether env={env} choosing={choosing} />}
      <CreateApi env={env} isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

const idOf = ({ id }: Schemas['ApiV4']): string => id;
const nameOf = ({ name }: Schemas['ApiV4']): string => name;

function columnsOf(env: string, called: ReturnType<typeof useCalled>): readonly Column<Schemas['ApiV4']>[] {
  return [
    {
      title: 'Name',
      sort: 'name',
      cell: ({ id, name }) => (
        <>
          <Link to="/$env/apis/$api" params={{ env, api: id }}>
            {name}
          </Link>{' '}
          <SampleTag env={env} id={id} />
        </>
      ),
    },
    { title: 'Path', cell: (api) => <span className="mono second">{pathsOf(api)[0] ?? '–'}</span> },
    {
      title: 'State',
      sort: 'status',
      cell: (api) => {
        const [tone, word] = stateOf(api);
        return <Status tone={tone}>{word}</Status>;
      },
    },
    { title: 'Gateways', cell: ({ sync }) => <Reach sync={sync} /> },
    { title: 'Calls, 24 h', align: 'end', cell: ({ id }) => <CalledCell called={called(id)} /> },
    {
      title: 'Server errors',
      align: 'end',
      cell: ({ id }) => {
        const { calls, failed } = called(id);
        const isKnown = calls !== undefined && failed !== undefined;
        return <Said figure={isKnown ? share(failed, calls) : unknown} />;
      },
    },
    { title: 'Version', cell: ({ apiVersion }) => <Tag>{apiVersion}</Tag> },
    {
      title: 'Owner',
      cell: ({ primaryOwner }) => <span className="second">{primaryOwner?.displayName ?? '–'}</span>,
    },
    { title: 'Changed', align: 'end', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
  ];
}

const Said = ({ figure: { value, unit } }: { readonly figure: Figure }) => (
  <span className="num">
    {value}
    {unit !== '' && <span className="quiet"> {unit}</span>}
  </span>
);

/** How many of the gateways that are to serve an API have what was deployed last. */
function Reach({ sync }: { readonly sync: Schemas['ApiV4']['sync'] | undefined }) {
  if (sync === undefined) return <span className="quiet">–</span>;
  const { gateways, applied, refused } = sync;
  if (gateways === 0) return <span className="quiet">none</span>;
  const tone = refused > 0 ? 'bad' : applied < gateways ? 'info' : 'ok';
  return (
    <>
      <Share part={applied} whole={gateways} tone={tone} />
      {refused > 0 && <Status tone="bad">{refused} refused</Status>}
    </>
  );
}

function NoApis({
  q,
  onClear,
  create,
}: {
  readonly q: string | undefined;
  readonly onClear: () => void;
  readonly create: React.ReactNode;
}) {
  if (q !== undefined)
    return (
      <Empty title="No API matches" action={<Button onClick={onClear}>Clear the filter</Button>}>
        None of the APIs that you may see has “{q}” in its name, path or description.
      </Empty>
    );
  return (
    <Empty title="No APIs yet" action={create}>
      An API says at which path callers arrive, which backend answers, and what happens in between.
    </Empty>
  );
}
