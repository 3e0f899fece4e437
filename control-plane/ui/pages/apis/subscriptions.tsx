import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { SubscriptionList } from '../subscriptions/list.tsx';
import { SubscriptionPage } from '../subscriptions/one.tsx';

const listRoute = getRouteApi('/$env/apis/$api/subscriptions');
const oneRoute = getRouteApi('/$env/apis/$api/subscriptions/$subscription');

/** Who may call an API, by which plan. */
export function ApiSubscriptions() {
  const { env, api: id } = listRoute.useParams();
  const search = listRoute.useSearch();
  const navigate = useNavigate({ from: '/$env/apis/$api/subscriptions' });
  return (
    <SubscriptionList
      side={{ env, of: 'api', id }}
      search={search}
      // Who goes back is not asked to subscribe a second time.
      onSearch={(next) => void navigate({ search: next, replace: search.subscribe === true })}
    />
  );
}

/** One of them. */
export function ApiSubscription() {
  const { env, api, subscription } = oneRoute.useParams();
  return <SubscriptionPage side={{ env, of: 'api', id: api }} id={subscription} />;
}
