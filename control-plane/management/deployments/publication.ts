import { Fault, invariant } from '../../../proto/faults/fault.ts';
import { withoutSecrets } from '../../../proto/model/secrets/scrub.ts';
import { placesIn, readApi } from '../../../proto/definition/read.ts';
import { refuseUnusableStores } from '../../../proto/definition/stores.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';
import type { PublishChange } from '../../publish/publisher.ts';
import { listKeysOf, type OpeningKey } from '../api-keys/api-keys.store.ts';
import { apiOwner } from '../apis/api-gate.ts';
import { type ApiRow, type DeployedApi, updateApi } from '../apis/apis.store.ts';
import { applicationsById } from '../applications/applications.store.ts';
import { type Change, laterThan } from '../desk.ts';
import { listPlansOf, type PlanRow } from '../plans/plans.store.ts';
import { managementShape } from '../plans/judging.ts';
import { demandGroups } from '../shared-policy-groups/shared-policy-groups.ts';
import { openSubscriptions, type SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import { publishApi } from './dynamic-properties.ts';
import { type DeploymentRow, insertDeployment } from './deployments.store.ts';
import { isServed, keyRecord, subscriptionRecord } from './records.ts';

const servedPlans = ['PUBLISHED', 'DEPRECATED'];

/**
 * Deploys the API as it is written now: history row, and, when it is started, its record.
 *
 * Subscriptions and keys follow the API's tags: they are published with the first deployment, and again when the tags
 * change. Errors: api.not_deployable without a served plan; request.invalid naming what gateways cannot run.
 */
export async function deployLocked(now: Change, api: ApiRow, label: string | null): Promise<DeploymentRow> {
  const definition = await now.secrets.seal(await deployableDefinition(now, api), apiOwner(api.id));
  const deployment: DeploymentRow = {
    ...now.at,
    api_id: api.id,
    number: api.deployed_number + 1,
    label,
    definition: JSON.stringify(definition),
    tags: api.tags,
    user_id: now.actor.id,
    created_at_ms: now.nowMs,
  };
  await insertDeployment(now.trx, deployment);
  const isNewToGateways = api.deployed_number === 0 || api.deployed_tags !== api.tags;
  const deployed = await updateApi(now.trx, api, {
    deployed_number: deployment.number,
    deployed_at_ms: now.nowMs,
    deployed_tags: api.tags,
    is_out_of_sync: 0,
    updated_at_ms: laterThan(api.updated_at_ms, now.nowMs),
  });
  if (deployed.state === 'STARTED') await publishApi(now, deployed, deployment);
  if (isNewToGateways) await publishConsumers(now, deployed);
  return deployment;
}

/**
 * What gateways would get of an API as it is written now, with its secrets in the clear.
 *
 * Errors: api.not_deployable without a served plan or when it is archived; request.invalid naming what gateways cannot run.
 */
export async function deployableDefinition(now: Change, api: ApiRow): Promise<ApiDefinition> {
  if (api.lifecycle_state === 'ARCHIVED')
    throw new Fault('api.not_deployable', { detail: 'The API is archived.' });
  const plans = await servedPlansOf(now, api);
  if (plans.length === 0)
    throw new Fault('api.not_deployable', {
      detail: 'The API has no published plan.',
      hint: 'Publish a plan, then deploy.',
    });
  return readWritten(now, api, plans);
}

/** The same with any plans, whether it could be deployed or not. Errors: request.invalid naming what gateways cannot run. */
export async function readWritten(
  now: Change,
  api: ApiRow,
  plans: readonly PlanRow[],
): Promise<ApiDefinition> {
  const written = await now.secrets.open(managementShape(api, plans), apiOwner(api.id));
  const plain = withoutSecrets(written.secrets, () => {
    const { api: read } = readApi(written.definition);
    refuseUnusableStores(read, placesIn(written.definition));
    return read;
  });
  await demandGroups(now, plain);
  return plain;
}

/** The withdrawal of an API that gateways may have. */
export function withdrawnApi(api: ApiRow): readonly PublishChange[] {
  return api.deployed_number === 0 ? [] : [{ kind: 'api', id: api.id, isDeleted: true }];
}

/**
 * Publishes a subscription and its keys as they are now, or withdraws them; nothing while the API was never deployed.
 */
export async function publishSubscription(
  now: Change,
  api: ApiRow,
  subscription: SubscriptionRow,
): Promise<void> {
  if (api.deployed_number === 0) return;
  await publishAll(now, api, [subscription]);
}

/** Publishes one key as it is now, or withdraws it; nothing while the API was never deployed. */
export function publishKey(
  now: Change,
  api: DeployedApi,
  { key, subscription }: { readonly key: OpeningKey; readonly subscription: SubscriptionRow },
): void {
  if (api.deployed_number > 0) now.publish([keyRecord(key, isServed(subscription.status), tagsOf(api))]);
}

async function publishConsumers(now: Change, api: ApiRow): Promise<void> {
  const open = await openSubscriptions(now.trx, now.at, { column: 'api_id', id: api.id });
  await publishAll(
    now,
    api,
    open.filter((row) => isServed(row.status)),
  );
}

async function publishAll(now: Change, api: ApiRow, rows: readonly SubscriptionRow[]): Promise<void> {
  if (rows.length === 0) return;
  const tags = tagsOf(api);
  const applications = await applicationsById(
    now.trx,
    now.at,
    rows.map((row) => row.application_id),
  );
  const bySubscription = new Map(rows.map((row) => [row.id, row]));
  const keys = await listKeysOf(
    now.trx,
    now.at,
    rows.length === 1
      ? { column: 'subscription_id', ids: [...bySubscription.keys()] }
      : { column: 'api_id', ids: [api.id] },
  );
  for (const row of rows) {
    const application = applications.get(row.application_id);
    invariant(application !== undefined, 'a subscription has its application');
    now.publish([subscriptionRecord(row, application, tags)]);
  }
  for (const key of keys) {
    const subscription = bySubscription.get(key.subscription_id);
    // A key that was revoked before was withdrawn then.
    if (subscription !== undefined && key.revoked_at_ms === null)
      now.publish([keyRecord(key, isServed(subscription.status), tags)]);
  }
}

function tagsOf(api: DeployedApi): readonly string[] {
  return JSON.parse(api.deployed_tags) as string[];
}

/** Plans that gateways get. */
export async function servedPlansOf(now: Change, api: ApiRow): Promise<readonly PlanRow[]> {
  const plans = await listPlansOf(now.trx, now.at, api.id);
  return plans.filter((plan) => servedPlans.includes(plan.status));
}
