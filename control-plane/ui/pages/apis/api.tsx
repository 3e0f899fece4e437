import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useLocation } from '@tanstack/react-router';
import { Play, Square } from 'lucide-react';
import { useEffect } from 'react';
import type { Schemas } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { CopyAs } from '../../kit/copy-as.tsx';
import { PageHeader, Tabs, Unanswered } from '../../kit/page.tsx';
import { SampleTag } from '../../kit/sample-tag.tsx';
import { Status } from '../../kit/status.tsx';
import { ChangesBar } from './draft/changes.tsx';
import { ActingContext, type Acting, DeployButton, useActing } from './draft/deploying.tsx';
import { Refused } from './draft/faults.tsx';
import { MoreOfApi } from './transfer/export.tsx';
import { useDeployed } from './deployed.ts';
import { oneApi, stateOf, unsaved } from './questions.ts';
import { reachOf } from './reach.ts';

const route = getRouteApi('/$env/apis/$api');

const tabs = [
  ['/$env/apis/$api', 'Overview'],
  ['/$env/apis/$api/design', 'Design'],
  ['/$env/apis/$api/entrypoints', 'Entrypoints'],
  ['/$env/apis/$api/backends', 'Backends'],
  ['/$env/apis/$api/properties', 'Properties'],
  ['/$env/apis/$api/resources', 'Resources'],
  ['/$env/apis/$api/plans', 'Plans'],
  ['/$env/apis/$api/subscriptions', 'Subscriptions'],
  ['/$env/apis/$api/docs', 'Documentation'],
  ['/$env/apis/$api/members', 'Members'],
  ['/$env/apis/$api/analytics', 'Analytics'],
  ['/$env/apis/$api/logs', 'Logs'],
  ['/$env/apis/$api/health', 'Health'],
  ['/$env/apis/$api/revisions', 'Revisions'],
  ['/$env/apis/$api/notifications', 'Notifications'],
  ['/$env/apis/$api/general', 'General'],
] as const;

/** What stands around the pages of one API: its name, its state, what can be done with it. */
export function Api() {
  const { env, api: id } = route.useParams();
  const { data, error } = useQuery(oneApi({ env, id }));
  const acting = useActing(env, data);
  // Those have a bar of their own, which says more.
  const isDraft = useLocation({
    select: ({ pathname }) => /\/(?:design|entrypoints|backends|properties|resources)$/.test(pathname),
  });
  const { data: isWriting } = useQuery(unsaved({ env, id }));
  const { reset } = acting;
  useEffect(() => {
    // What is written meanwhile may mend what was refused.
    if (isWriting) reset();
  }, [isWriting, reset]);
  if (data === undefined) return <Unanswered title="API" hasTabs error={error} />;
  const params = { env, api: id };
  return (
    <ActingContext value={acting}>
      <PageHeader
        title={data.name}
        status={
          <>
            <State env={env} of={data} />
            <SampleTag env={env} id={data.id} />
          </>
        }
        sub={`Version ${data.apiVersion}`}
        actions={<Actions env={env} of={data} acting={acting} />}
      />
      {acting.error !== null && <Refused env={env} id={id} error={acting.error} />}
      <Tabs label="Pages of this API">
        {tabs.map(([to, name]) => (
          <Link key={to} to={to} params={params} activeOptions={{ exact: to === '/$env/apis/$api' }}>
            {name}
          </Link>
        ))}
      </Tabs>
      {!isDraft && <ChangesBar env={env} id={id} />}
      <Outlet />
    </ActingContext>
  );
}

/** Its state; in service, how many of its gateways have what was deployed. */
function State({ env, of }: { readonly env: string; readonly of: Schemas['ApiV4'] }) {
  const isInService = of.deployedAt !== undefined && of.state === 'STARTED';
  const { data } = useDeployed({ env, id: of.id }, isInService);
  const [tone, word] = isInService ? reachOf(data) : stateOf(of);
  return (
    <span role="status">
      <Status tone={tone} isPill>
        {word}
      </Status>
    </span>
  );
}

function Actions({
  env,
  of,
  acting,
}: {
  readonly env: string;
  readonly of: Schemas['ApiV4'];
  readonly acting: Acting;
}) {
  const { id, state, deployedAt } = of;
  const { data: isUnsaved } = useQuery(unsaved({ env, id }));
  const may = useRights({ env, api: id });
  const mayChange = may('DEFINITION', 'U');
  const more = <MoreOfApi env={env} of={of} mayImport={mayChange} />;
  if (!mayChange) return more;
  // What was deployed before is deployed again from the bar that says what has changed.
  if (deployedAt === undefined)
    return (
      <>
        {more}
        <DeployButton env={env} id={id} look="primary" verb="Deploy and start" />
      </>
    );
  const isStarted = state === 'STARTED';
  return (
    <>
      {more}
      <CopyAs change={() => acting.act(isStarted ? 'stop' : 'start')} />
      <Button
        disabled={acting.isPending || isUnsaved}
        onClick={() => acting.mutate(isStarted ? 'stop' : 'start')}
      >
        {isStarted ? <Square size={14} aria-hidden /> : <Play size={14} aria-hidden />}
        {isStarted ? 'Stop' : 'Start'}
      </Button>
    </>
  );
}
