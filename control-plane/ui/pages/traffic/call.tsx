import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { UserSearch } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client.ts';
import { buttonLook } from '../../kit/button.tsx';
import { Copy, CopyVerb } from '../../kit/copy.tsx';
import { count, moment, shortId } from '../../kit/numbers.ts';
import { Body, Columns, PageHeader, Panel, Unanswered } from '../../kit/page.tsx';
import { SampleTag } from '../../kit/sample-tag.tsx';
import { Status } from '../../kit/status.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { useAreNamesAwaited, useGatewayNames } from '../fleets.ts';
import { Method, statusTone, statusWords, Took } from './call-columns.tsx';
import { hasSaid, loggedOf, namesOfIds, oneCall } from './questions.ts';
import { Exchanged } from './said.tsx';
import { Waterfall } from './waterfall.tsx';
import styles from './traffic.module.css';

const route = getRouteApi('/$env/logs/$api/$request');

type Recorded = Schemas['ApiMetricsDetailResponse'];

/** One call: what became of it and why, where its time went, and what was said on both sides of the gateway. */
export function Call() {
  const { env, api, request } = route.useParams();
  const { data, error } = useQuery(oneCall(env, { api, request }));
  const {
    data: logged,
    error: unlogged,
    isPending: isLogAwaited,
  } = useQuery(loggedOf(env, { api, request }));
  const { isLoading: isNameAwaited, failureCount } = useQuery(namesOfIds(env, { api: [api] }));
  const areNamesAwaited = useAreNamesAwaited(env) || (isNameAwaited && failureCount === 0);
  // What was logged stands in the midst of the rest, which would be moved by it; names change how many lines the facts need.
  if (data === undefined || isLogAwaited || areNamesAwaited) return <Unanswered title="Call" error={error} />;
  return (
    <>
      <PageHeader
        title={data.uri ?? request}
        isCode
        before={
          <span className={styles['chip']}>
            <Method method={data.method} />
          </span>
        }
        status={
          <>
            <Status tone={statusTone(data.status)} isPill>
              {statusWords(data.status)}
            </Status>
            <SampleTag env={env} id={data.apiId} />
          </>
        }
        actions={<Deeds env={env} of={data} />}
      />
      <TimeOf of={data} />
      <About env={env} of={data} />
      <Body>
        {data.errorKey !== undefined && <Refused of={data} />}
        {logged?.steps === undefined ? (
          <Steps of={data} />
        ) : (
          <Waterfall of={logged.steps} names={namesIn(data)} />
        )}
        {logged?.stepsMissing !== undefined && <p className="second">{logged.stepsMissing}</p>}
        {unlogged !== null && <ProblemBox error={unlogged} />}
        {logged !== undefined && !hasSaid(logged) && (
          <p className="second">
            Headers and bodies of this call were not logged. Its API says in its logging settings whether
            calls are, and which.
          </p>
        )}
        {logged !== undefined && hasSaid(logged) && <Said of={logged} />}
      </Body>
    </>
  );
}

/** What was said on both sides of the gateway. */
const Said = ({ of }: { readonly of: Parameters<typeof hasSaid>[0] }) => (
  <Columns>
    <Exchanged title="Request" before={of.entrypointRequest} after={of.endpointRequest} isRequest />
    <Exchanged title="Response" before={of.endpointResponse} after={of.entrypointResponse} />
  </Columns>
);

/** Where to look on. */
function Deeds({ env, of }: { readonly env: string; readonly of: Recorded }) {
  return (
    <>
      {of.application?.name !== undefined && (
        <Link
          className={buttonLook.quiet}
          to="/$env/logs"
          params={{ env }}
          search={{ application: of.application.id }}
        >
          <UserSearch size={14} aria-hidden />
          Same caller
        </Link>
      )}
      <Link className={buttonLook.quiet} to="/$env/logs" params={{ env }} search={{ api: of.apiId }}>
        All calls of this API
      </Link>
      <CopyVerb verb="Copy for support" text={supportTextOf(of)} />
    </>
  );
}

/** What somebody needs who looks for this call elsewhere; nothing of what was said in it. */
const supportTextOf = (of: Recorded): string =>
  (
    [
      ['Time', of.timestamp],
      ['Call', `${of.method ?? ''} ${of.host ?? ''}${of.uri ?? ''}`.trim()],
      ['Status', statusWords(of.status)],
      ['Error', of.errorKey],
      ['API', of.apiId],
      ['Plan', of.plan?.id],
      ['Application', of.application?.id],
      ['Gateway', of.gateway],
      ['Request', of.requestId],
      ['Transaction', of.transactionId],
    ] as const
  )
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');

const namesIn = ({ plan, application }: Recorded): ReadonlyMap<string, string> =>
  new Map(
    [plan, application].flatMap((each) => (each?.name === undefined ? [] : [[each.id, each.name] as const])),
  );

/** How the time of a call is shared: the gateway's own, solid, against the backend's, hatched. */
function TimeOf({
  of: { gatewayResponseTime: all, gatewayLatency: own, endpointResponseTime: backend },
}: {
  readonly of: Recorded;
}) {
  if (backend === undefined || own === undefined)
    return (
      <div className={styles['head']}>
        <p>
          <b className="num">
            <Took ms={all} />
          </b>{' '}
          in the gateway; no backend was called.
        </p>
      </div>
    );
  return (
    <div className={styles['head']}>
      <p>
        Gateway{' '}
        <b className="num">
          <Took ms={own} />
        </b>{' '}
        and backend{' '}
        <b className="num">
          <Took ms={backend} />
        </b>{' '}
        make{' '}
        <b className="num">
          <Took ms={all} />
        </b>
        .
      </p>
      <div className={styles['shares']} aria-hidden>
        <i className={styles['gateway']} style={{ flexGrow: own }} />
        <i className={styles['backend']} style={{ flexGrow: backend }} />
      </div>
    </div>
  );
}

function About({ env, of }: { readonly env: string; readonly of: Recorded }) {
  const { application, plan, apiId } = of;
  const { data: names } = useQuery(namesOfIds(env, { api: [apiId] }));
  const facts: readonly (readonly [string, ReactNode])[] = [
    [
      'Time',
      <span key="time" className="num">
        {moment(Date.parse(of.timestamp))}
      </span>,
    ],
    [
      'API',
      <Link key="api" to="/$env/apis/$api" params={{ env, api: apiId }} className="link">
        {names?.get(`api ${apiId}`) ?? shortId(apiId)}
      </Link>,
    ],
    ...(plan === undefined
      ? []
      : [['Plan', <ToPlan key="plan" env={env} api={apiId} plan={plan} />] as const]),
    ...(application?.name === undefined
      ? []
      : [
          [
            'Application',
            <Link
              key="application"
              to="/$env/applications/$application"
              params={{ env, application: application.id }}
              className="link"
            >
              {application.name}
            </Link>,
          ] as const,
        ]),
    ...(of.gateway === undefined
      ? []
      : [['Gateway', <ToGateway key="gateway" env={env} id={of.gateway} />] as const]),
    ...(of.remoteAddress === undefined ? [] : [['Caller', of.remoteAddress] as const]),
    ...(of.host === undefined ? [] : [['Host', of.host] as const]),
    ['Request', <Copy key="request" text={of.requestId} shown={shortId(of.requestId)} />],
    ...(of.transactionId === undefined || of.transactionId === of.requestId
      ? []
      : [
          [
            'Transaction',
            <Copy key="transaction" text={of.transactionId} shown={shortId(of.transactionId)} />,
          ] as const,
        ]),
  ];
  return (
    <dl className={styles['strip']}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function ToPlan({
  env,
  api,
  plan: { id, name },
}: {
  readonly env: string;
  readonly api: string;
  readonly plan: NonNullable<Recorded['plan']>;
}) {
  return (
    <Link to="/$env/apis/$api/plans/$plan" params={{ env, api, plan: id }} className="link">
      {name ?? shortId(id)}
    </Link>
  );
}

function ToGateway({ env, id }: { readonly env: string; readonly id: string }) {
  const nameOf = useGatewayNames(env);
  return (
    <Link to="/$env/gateways/$gateway" params={{ env, gateway: id }} className="link">
      {nameOf(id)}
    </Link>
  );
}

const Refused = ({ of: { errorKey, message } }: { readonly of: Recorded }) => (
  <Panel title="Why">
    <p>
      <Status tone="bad">
        <span className="mono">{errorKey}</span>
      </Status>
      {message !== undefined && <span className="second"> {message}</span>}
    </p>
  </Panel>
);

interface Step {
  readonly name: string;
  readonly decided: ReactNode;
  readonly side: 'gateway' | 'backend';
  readonly fromMs: number;
  readonly tookMs: number;
}

/** Where the time of a call went, as far as its record says. */
function stepsOf(of: Recorded): readonly Step[] {
  const { gatewayResponseTime: all, gatewayLatency: own = all, endpointResponseTime: backend } = of;
  const size = (bytes = 0): string => (bytes === 0 ? '' : `, ${plural(bytes)}`);
  const security = of.plan?.name ?? of.plan?.id;
  const entered = security === undefined ? 'No plan let it in' : `Let in by the plan ${security}`;
  const gateway: Step = {
    name: 'Gateway',
    decided: `${entered}${size(of.requestContentLength)}`,
    side: 'gateway',
    fromMs: 0,
    tookMs: own,
  };
  if (backend === undefined) return [gateway];
  const called: Step = {
    name: 'Backend',
    decided: (
      <>
        <span className="mono">{of.endpoint ?? 'an endpoint'}</span> answered {statusWords(of.status)}
        {size(of.responseContentLength)}
      </>
    ),
    side: 'backend',
    fromMs: own,
    tookMs: backend,
  };
  return [gateway, called];
}

const plural = (bytes: number): string => {
  const { value, unit } = count(bytes);
  return bytes === 1 ? '1 byte' : `${value}${unit} bytes`;
};

function Steps({ of }: { readonly of: Recorded }) {
  const steps = stepsOf(of);
  const allMs = Math.max(1, of.gatewayResponseTime, ...steps.map(({ fromMs, tookMs }) => fromMs + tookMs));
  return (
    <Panel title="Where its time went" isBare>
      <table className={styles['steps']}>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">What it decided</th>
            <th scope="col" className={styles['track']}>
              <span className="num">0 to {allMs} ms</span>
            </th>
            <th scope="col">Took</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ name, decided, side, fromMs, tookMs }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="second">{decided}</td>
              <td className={styles['track']}>
                <i
                  className={styles[side]}
                  style={{ left: `${(100 * fromMs) / allMs}%`, width: `${(100 * tookMs) / allMs}%` }}
                />
              </td>
              <td className="num">
                <Took ms={tookMs} />
              </td>
            </tr>
          ))}
          {(of.warnings ?? []).map(({ key, message }) => (
            <tr key={key}>
              <th scope="row">
                <Status tone="warn">Warning</Status>
              </th>
              <td colSpan={3} className="second">
                <span className="mono">{key}</span> {message}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
