import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { useRights } from '../../api/rights.ts';
import { PageHeader, Tabs } from '../../kit/page.tsx';

const route = getRouteApi('/$env/settings');

const tabs = [
  ['/$env/settings/groups', 'Groups', 'GROUP'],
  ['/$env/settings/categories', 'Categories', 'CATEGORY'],
  ['/$env/settings/metadata', 'Metadata', 'METADATA'],
  ['/$env/settings/api-headers', 'API headers', 'API_HEADER'],
  ['/$env/settings/retention', 'Retention', 'SETTINGS'],
  ['/$env/settings/notifications', 'Notifications', 'NOTIFICATION'],
] as const;

/** What stands around the settings of an environment. */
export function EnvironmentSettings() {
  const { env } = route.useParams();
  const may = useRights({ env });
  return (
    <>
      <PageHeader title="Settings" sub="of this environment" />
      <Tabs label="Settings">
        {tabs
          .filter(([, , right]) => may(right, 'R'))
          .map(([to, name]) => (
            <Link key={to} to={to} params={{ env }}>
              {name}
            </Link>
          ))}
      </Tabs>
      <Outlet />
    </>
  );
}
