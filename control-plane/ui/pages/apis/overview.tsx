import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { liveUrl, useLive } from '../../api/live.ts';
import { Copy } from '../../kit/copy.tsx';
import { LiveMark } from '../../kit/live-mark.tsx';
import { count, share, shortId, unknown } from '../../kit/numbers.ts';
import { Body, Columns, Facts, Figures, Panel } from '../../kit/page.tsx';
import { Share, Status, type Tone } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { saidOfApi } from '../settings/questions.ts';
import { CallIt } from './call-it.tsx';
import { useAhead } from './draft/changes.tsx';
import { DeployButton } from './draft/deploying.tsx';
import { useDeployed } from './deployed.ts';
import { oneApi, pathsOf, statusesOf } from './questions.ts';
import { servingOf } from './reach.ts';

const route = getRouteApi('/$env/apis/$api');

/** What an API is, how it fares, and which gateways run it. */
export function ApiOverview() {
  const { env, api: id } = route.useParams();
  const { data: api } = useQuery(oneApi({ env, id }));
  const { data: said = [] } = useQuery(saidOfApi(env, id));
  if (api === undefined) return null;
  return (
    <Body>
      <Traffic env={env} id={id} />
      <Columns>
        {api.deployedAt !== undefined && api.state !== 'STOPPED' && <CallIt env={env} of={api} />}
        <Panel title="What it is">
          <Facts
            facts={[
              ['Path', pathsOf(api).map((path) => <Copy key={path} text={path} />)],
              ['Backend', targetsOf(api).map((target) => <Copy key={target} text={target} />)],
              ['Description', api.description || <span className="quiet">none</span>],
              ['Owner', api.primaryOwner?.displayName ?? '–'],
              ...said.map(({ name, value, problem }) => [name, saidValue(value, problem)] as const),
              ['Created', <Time key="created" at={api.createdAt} />],
              ['Id', <Copy key="id" text={api.id} shown={shortId(api.id)} />],
            ]}
          />
        </Panel>
        {api.deployedAt === undefined ? <NeverDeployed /> : <Deployment env={env} id={id} />}
      </Columns>
    </Body>
  );
}

/** What a header of the environment says of it, or why it says nothing. */
function saidValue(value: string | undefined, problem: string | undefined) {
  if (problem !== undefined) return <Status tone="warn">{problem}</Status>;
  return value === undefined || value === '' ? <span className="quiet">none</span> : value;
}

function targetsOf({ endpointGroups = [] }: Schemas['ApiV4']): readonly string[] {
  return endpointGroups.flatMap(({ endpoints = [] }) =>
    endpoints.flatMap(({ configuration }) => {
      const target = configuration?.['target'];
      return typeof target === 'string' ? [target] : [];
    }),
  );
}

/** The last minute that records tell of. */
interface Now {
  readonly requests: number;
}

/** Figures of a day are asked for less often where those of the last minute are followed. */
const lookAgainMs = { alone: 10_000, beside: 30_000 };

function Traffic({ env, id }: { readonly env: string; readonly id: string }) {
  const [now, setNow] = useState<Now>();
  const live = useLive(liveUrl(env, `apis/${id}/analytics`), ['traffic'], (_name, said) =>
    setNow(said as Now),
  );
  const { data, error } = useQuery({
    ...statusesOf({ env, id }),
    refetchInterval: live === 'live' ? lookAgainMs.beside : lookAgainMs.alone,
  });
  if (error !== null && data === undefined) return <ProblemBox error={error} />;
  const ranges = data?.ranges;
  const of = (hundred: string): number => ranges?.[`${hundred}00.0-${Number(hundred) + 1}00.0`] ?? 0;
  const total = ranges === undefined ? undefined : Object.values(ranges).reduce((sum, each) => sum + each, 0);
  return (
    <Figures
      figures={[
        ['Requests a minute, now', live === 'live' && now !== undefined ? count(now.requests) : unknown],
        ['Requests, 24 h', count(total)],
        ['Client errors', total === undefined ? unknown : share(of('4'), total)],
        ['Server errors', total === undefined ? unknown : share(of('5'), total)],
      ]}
    />
  );
}

type Deployed = NonNullable<Schemas['CurrentApiDeployment']>['gateways'][number];

const deployments: Readonly<Record<Deployed['deployment'], readonly [Tone, string]>> = {
  applied: ['ok', 'Serving'],
  pending: ['info', 'On its way'],
  refused: ['bad', 'Refused'],
  notDeployed: ['idle', 'Not for it'],
};

function NeverDeployed() {
  return (
    <Panel title="Deployment">
      <p className="second">Never deployed: no gateway knows it. Deploy it to put it in service.</p>
    </Panel>
  );
}

function Deployment({ env, id }: { readonly env: string; readonly id: string }) {
  const { data, error, live } = useDeployed({ env, id });
  const isAhead = useAhead({ env, id }) !== undefined;
  if (data?.isWithdrawn === true)
    return (
      <Panel title="Deployment">
        <p className="second">Stopped: no gateway serves it. Start it to put it in service again.</p>
      </Panel>
    );
  const gateways = data?.gateways ?? [];
  const concerned = servingOf(gateways);
  const applied = concerned.filter(({ deployment }) => deployment === 'applied').length;
  const hasRefused = concerned.some(({ deployment }) => deployment === 'refused');
  return (
    <Panel
      title="Deployment"
      isBare
      end={
        data && (
          <>
            <LiveMark state={live} />
            {concerned.length > 0 && (
              <Share
                part={applied}
                whole={concerned.length}
                tone={hasRefused ? 'bad' : applied === concerned.length ? 'ok' : 'info'}
              />
            )}
          </>
        )
      }
    >
      <DataTable
        label="Gateways"
        isInner
        rows={data === undefined ? undefined : gateways}
        error={error}
        keyOf={({ id: gateway }) => gateway}
        columns={[
          { title: 'Gateway', cell: ({ hostname }) => hostname },
          {
            title: 'State',
            cell: ({ deployment, state, nack }) => (
              <Status tone={state === 'never' ? 'idle' : deployments[deployment][0]}>
                {state === 'never' ? 'Never seen' : deployments[deployment][1]}
                {nack !== undefined && deployment === 'refused' && `: ${nack.reason}`}
              </Status>
            ),
          },
          {
            title: 'Since',
            align: 'end',
            cell: ({ appliedAt }) => (appliedAt === undefined ? '–' : <Time at={appliedAt} />),
          },
        ]}
        empty={<p className="second inset">No gateway is enrolled yet.</p>}
      />
      {/* Where nothing is ahead there is no bar; a gateway that refused it may take it the second time. */}
      {hasRefused && !isAhead && (
        <div className="inset">
          <DeployButton env={env} id={id} size="small" verb="Deploy again" />
        </div>
      )}
    </Panel>
  );
}
