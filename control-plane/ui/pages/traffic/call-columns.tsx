import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client.ts';
import { duration, moment } from '../../kit/numbers.ts';
import { SampleTag } from '../../kit/sample-tag.tsx';
import { Status, type Tone } from '../../kit/status.tsx';
import type { Column } from '../../kit/table.tsx';
import { groupName, nobody } from './narrow.tsx';
import { asOf } from './search.ts';
import styles from './traffic.module.css';

type Call = Schemas['EnvironmentApiLog'];

/** How a status is meant. */
export function statusTone(status: number): Tone {
  if (status >= 500 || status === 0) return 'bad';
  if (status >= 400) return 'warn';
  return status >= 300 ? 'info' : 'ok';
}

/** What a status says; of a call whose client went before there was one, that. */
export const statusWords = (status: number): string => (status === 0 ? 'no answer' : String(status));

const methodTones: ReadonlyMap<string, Tone> = new Map([
  ['GET', 'info'],
  ['POST', 'ok'],
  ['PUT', 'warn'],
  ['PATCH', 'warn'],
  ['DELETE', 'bad'],
]);

export const Method = ({ method = '–' }: { readonly method: string | undefined }) => (
  <span className={`${styles['method']} mono`} data-tone={methodTones.get(method) ?? 'idle'}>
    {method}
  </span>
);

/** A time of a record, which is in whole milliseconds. */
export function Took({ ms }: { readonly ms: number | undefined }) {
  const { value, unit } = duration(ms);
  return (
    <span className="num">
      {ms === 0 ? '< 1' : value} <span className="quiet">{unit}</span>
    </span>
  );
}

/** What a list says of calls. */
export function columnsOf(
  env: string,
  hasApi: boolean,
  gatewayName: (id: string) => string,
): readonly Column<Call>[] {
  return [
    {
      title: 'Request',
      cell: (call) => <ToCall env={env} of={call} />,
    },
    {
      title: 'Status',
      cell: ({ status }) => <Status tone={statusTone(status)}>{statusWords(status)}</Status>,
    },
    {
      title: 'Time',
      cell: ({ timestamp }) => {
        const at = moment(Date.parse(timestamp));
        const isToday = at.slice(0, 10) === moment(asOf()).slice(0, 10);
        return (
          <span className="mono second" title={at}>
            {at.slice(isToday ? 11 : 5)}
          </span>
        );
      },
    },
    ...(hasApi
      ? [
          {
            title: 'API',
            cell: (call: Call) => (
              <span className={styles['taker']}>
                <Word>{apiNameOf(call)}</Word> <SampleTag env={env} id={call.apiId} isSmall />
              </span>
            ),
          },
        ]
      : []),
    {
      title: 'Application',
      cell: (call) => <Word>{applicationNameOf(call)}</Word>,
    },
    {
      title: 'Gateway',
      cell: ({ gateway }) => <Word>{gateway === undefined ? '–' : gatewayName(gateway)}</Word>,
    },
    {
      title: 'Took',
      align: 'end',
      cell: ({ gatewayResponseTime }) => <Took ms={gatewayResponseTime} />,
    },
    { title: 'Why', cell: ({ errorKey = '' }) => <Word isCode>{errorKey}</Word> },
  ];
}

const Word = ({ isCode = false, children }: { readonly isCode?: boolean; readonly children: string }) => (
  <span className={`${styles['word']} second${isCode ? ' mono' : ''}`} title={children}>
    {children}
  </span>
);

const apiNameOf = ({ apiId, apiName = apiId }: Call): string =>
  groupName('api', { key: apiId, name: apiName });

/** As it is called among what calls are narrowed by; a call that was refused before it was known whose it is has none there. */
const applicationNameOf = ({ application }: Call): string =>
  application === undefined
    ? '–'
    : groupName('application', { key: application.id, name: application.name ?? application.id });

/** Leads to what is recorded of a call; of one that no API took, the row says all of it. */
function ToCall({ env, of: { method, uri, apiId, requestId } }: { readonly env: string; readonly of: Call }) {
  const words = (
    <>
      <Method method={method} />
      <span className={`${styles['path']} mono`}>{uri ?? '–'}</span>
    </>
  );
  if (apiId === nobody) return <span className={styles['taken']}>{words}</span>;
  return (
    <Link
      to="/$env/logs/$api/$request"
      params={{ env, api: apiId, request: requestId }}
      title={uri}
      preload={false}
    >
      {words}
    </Link>
  );
}
