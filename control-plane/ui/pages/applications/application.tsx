import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { useRights } from '../../api/rights.ts';
import { Copy } from '../../kit/copy.tsx';
import { count, shortId, worded } from '../../kit/numbers.ts';
import { Body, Columns, Facts, PageHeader, Panel, Tabs, Unanswered } from '../../kit/page.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { columnsOf, useNamesOf } from '../subscriptions/list.tsx';
import { listedSubscriptions, type Side } from '../subscriptions/side.ts';
import { keyModeWords, oneApplication, typeWords } from './questions.ts';

const route = getRouteApi('/$env/applications/$application');

/** Of its subscriptions so many stand on its first page, and so much of each. */
const shownMax = 10;
const shownColumns = ['API', 'Plan', 'State'];

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

/** What an application is, and which APIs it may call. */
export function ApplicationOverview() {
  const { env, application } = route.useParams();
  const { data } = useQuery(oneApplication(env, application));
  if (data === undefined) return null;
  const { client_id: clientId } = data.settings.app ?? {};
  return (
    <Body>
      <Columns>
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
        <Subscribed env={env} id={application} isArchived={data.status === 'ARCHIVED'} />
      </Columns>
    </Body>
  );
}

/** Its latest subscriptions; where it has none, the way to its first. */
function Subscribed({
  env,
  id,
  isArchived,
}: {
  readonly env: string;
  readonly id: string;
  readonly isArchived: boolean;
}) {
  const side: Side = { env, of: 'application', id };
  const may = useRights({ env, application: id });
  const mayRead = may('SUBSCRIPTION', 'R');
  const { data, error } = useQuery({
    ...listedSubscriptions(side, { shown: 'open', page: 1 }),
    enabled: mayRead,
  });
  const rows = data?.rows.slice(0, shownMax);
  const names = useNamesOf(side, rows ?? []);
  const params = { env, application: id };
  if (!mayRead) return null;
  return (
    <Panel
      title="What it may call"
      isBare
      end={
        data !== undefined &&
        data.total > shownMax && (
          <Link className="link" to="/$env/applications/$application/subscriptions" params={params}>
            All {worded(count(data.total))}
          </Link>
        )
      }
    >
      <DataTable
        label="APIs"
        isInner
        rows={rows}
        error={error}
        keyOf={(row) => row.id}
        columns={columnsOf(side, names).filter(({ title }) => shownColumns.includes(title))}
        empty={
          <p className="second inset">
            Nothing yet.{' '}
            {!isArchived && may('SUBSCRIPTION', 'C') && (
              <Link
                className="link"
                to="/$env/applications/$application/subscriptions"
                params={params}
                search={{ subscribe: true }}
              >
                Subscribe to an API
              </Link>
            )}
          </p>
        }
      />
    </Panel>
  );
}
