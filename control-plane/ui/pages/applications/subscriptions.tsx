import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { SubscriptionList } from '../subscriptions/list.tsx';
import { SubscriptionPage } from '../subscriptions/one.tsx';

const listRoute = getRouteApi('/$env/applications/$application/subscriptions');
const oneRoute = getRouteApi('/$env/applications/$application/subscriptions/$subscription');

/** What an application may call. */
export function ApplicationSubscriptions() {
  const { env, application: id } = listRoute.useParams();
  const search = listRoute.useSearch();
  const navigate = useNavigate({ from: '/$env/applications/$application/subscriptions' });
  return (
    <SubscriptionList
      side={{ env, of: 'application', id }}
      search={search}
      // Who goes back is not asked to subscribe a second time.
      onSearch={(next) => void navigate({ search: next, replace: search.subscribe === true })}
    />
  );
}

/** One of them. */
export function ApplicationSubscription() {
  const { env, application, subscription } = oneRoute.useParams();
  return <SubscriptionPage side={{ env, of: 'application', id: application }} id={subscription} />;
}
