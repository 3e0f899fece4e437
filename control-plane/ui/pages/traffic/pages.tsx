import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { PageHeader } from '../../kit/page.tsx';
import { Dashboard } from './dashboard.tsx';
import { Logs } from './logs.tsx';

const logs = getRouteApi('/$env/logs');
const apiLogs = getRouteApi('/$env/apis/$api/logs');
const analytics = getRouteApi('/$env/analytics');
const applicationAnalytics = getRouteApi('/$env/applications/$application/analytics');
const apiAnalytics = getRouteApi('/$env/apis/$api/analytics');

/** Calls of all APIs that the reader may know of. */
export function EnvironmentLogs() {
  const { env } = logs.useParams();
  const search = logs.useSearch();
  const navigate = useNavigate({ from: '/$env/logs' });
  return (
    <>
      <PageHeader title="Logs" />
      <Logs env={env} search={search} onSearch={(next) => void navigate({ search: next })} />
    </>
  );
}

/** Calls of one API. */
export function ApiLogs() {
  const { env, api } = apiLogs.useParams();
  const search = apiLogs.useSearch();
  const navigate = useNavigate({ from: '/$env/apis/$api/logs' });
  return <Logs env={env} api={api} search={search} onSearch={(next) => void navigate({ search: next })} />;
}

/** Figures of all APIs that the reader may know of. */
export function EnvironmentAnalytics() {
  const { env } = analytics.useParams();
  const search = analytics.useSearch();
  const navigate = useNavigate({ from: '/$env/analytics' });
  return (
    <Dashboard
      env={env}
      title="Analytics"
      search={search}
      onSearch={(next) => void navigate({ search: next })}
    />
  );
}

/** Figures of one API. */
export function ApiAnalytics() {
  const { env, api } = apiAnalytics.useParams();
  const search = apiAnalytics.useSearch();
  const navigate = useNavigate({ from: '/$env/apis/$api/analytics' });
  return (
    <Dashboard env={env} api={api} search={search} onSearch={(next) => void navigate({ search: next })} />
  );
}

/** Figures of one application. */
export function ApplicationAnalytics() {
  const { env, application } = applicationAnalytics.useParams();
  const search = applicationAnalytics.useSearch();
  const navigate = useNavigate({ from: '/$env/applications/$application/analytics' });
  return <Dashboard {...{ env, application, search }} onSearch={(next) => void navigate({ search: next })} />;
}
