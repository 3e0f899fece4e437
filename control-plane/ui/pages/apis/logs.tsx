import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Copy } from '../../kit/copy.tsx';
import { duration, moment, shortId } from '../../kit/numbers.ts';
import { Status, type Tone } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { logsOf, logsPerPage } from './questions.ts';

const route = getRouteApi('/$env/apis/$api/logs');

/** The calls of the last day. */
export function ApiLogs() {
  const { env, api: id } = route.useParams();
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/apis/$api/logs' });
  const { data, error } = useQuery(logsOf({ env, id }, page));
  return (
    <DataTable
      label="Calls"
      rows={data?.data}
      error={error}
      keyOf={({ id: call }) => call}
      columns={[
        {
          title: 'Time',
          cell: ({ timestamp }) => <span className="mono">{moment(Date.parse(timestamp))}</span>,
        },
        { title: 'Status', cell: ({ status }) => <Status tone={toneOf(status)}>{status}</Status> },
        { title: 'Method', cell: ({ method }) => <span className="mono">{method}</span> },
        { title: 'Path', cell: ({ uri }) => <span className="mono">{uri ?? '–'}</span> },
        { title: 'Why', cell: ({ errorKey }) => <span className="mono second">{errorKey ?? ''}</span> },
        {
          title: 'Took',
          align: 'end',
          cell: ({ gatewayResponseTime }) => {
            const { value, unit } = duration(gatewayResponseTime);
            return (
              <>
                {value} <span className="quiet">{unit}</span>
              </>
            );
          },
        },
        {
          title: 'Request',
          align: 'end',
          cell: ({ requestId }) => <Copy text={requestId} shown={shortId(requestId)} />,
        },
      ]}
      paging={
        data && {
          page,
          perPage: logsPerPage,
          total: data.pagination.totalCount,
          onPage: (next) => void navigate({ search: { page: next } }),
        }
      }
      empty={
        <Empty title="No calls in the last 24 hours">
          Calls appear here some seconds after a gateway has answered them.
        </Empty>
      }
    />
  );
}

function toneOf(status: number): Tone {
  if (status >= 500 || status === 0) return 'bad';
  if (status >= 400) return 'warn';
  return status >= 300 ? 'info' : 'ok';
}
