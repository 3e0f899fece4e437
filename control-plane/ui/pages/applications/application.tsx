import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { Copy } from '../../kit/copy.tsx';
import { shortId } from '../../kit/numbers.ts';
import { Body, Facts, PageHeader, Panel, Tabs, Unanswered } from '../../kit/page.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { keyModeWords, oneApplication, typeWords } from './questions.ts';

const route = getRouteApi('/$env/applications/$application');

/** What stands around the pages of one application. */
export function Application() {
  const { env, application } = route.useParams();
  const { data, error } = useQuery(oneApplication(env, application));
  if (data === undefined) return <Unanswered title="Application" hasTabs error={error} />;
  const params = { env, application };
  return (
    <>
      <PageHeader
        title={data.name}
        status={
          data.status === 'ARCHIVED' ? (
            <Status tone="idle" isPill>
              Archived
            </Status>
          ) : undefined
        }
        sub={<Tag>{typeWords(data.type)}</Tag>}
      />
      <Tabs label="Pages of this application">
        <Link to="/$env/applications/$application" params={params} activeOptions={{ exact: true }}>
          Overview
        </Link>
        <Link to="/$env/applications/$application/subscriptions" params={params}>
          Subscriptions
        </Link>
        <Link to="/$env/applications/$application/analytics" params={params}>
          Analytics
        </Link>
        <Link to="/$env/applications/$application/members" params={params}>
          Members
        </Link>
        <Link to="/$env/applications/$application/notifications" params={params}>
          Notifications
        </Link>
        <Link to="/$env/applications/$application/settings" params={params}>
          Settings
        </Link>
      </Tabs>
      <Outlet />
    </>
  );
}

/** What an application is. */
export function ApplicationOverview() {
  const { env, application } = route.useParams();
  const { data } = useQuery(oneApplication(env, application));
  if (data === undefined) return null;
  const { client_id: clientId } = data.settings.app ?? {};
  return (
    <Body>
      <Panel title="What it is">
        <Facts
          facts={[
            ['Description', data.description || <span className="quiet">none</span>],
            ['Owner', data.owner?.displayName ?? '–'],
            ...(data.domain === undefined ? [] : [['Domain', data.domain] as const]),
            [
              'Client id',
              clientId === undefined ? (
                <span className="quiet">none: no JWT or OAuth2 plan can be subscribed to</span>
              ) : (
                <Copy key="client" text={clientId} />
              ),
            ],
            ['API keys', keyModeWords[data.api_key_mode]],
            ['Created', <Time key="created" at={data.created_at} />],
            ['Changed', <Time key="changed" at={data.updated_at} />],
            ['Id', <Copy key="id" text={data.id} shown={shortId(data.id)} />],
          ]}
        />
      </Panel>
    </Body>
  );
}
