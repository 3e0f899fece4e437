import type { ApiDefinition } from '../../../proto/model/api.ts';
import type { Words } from '../../../proto/model/fetched/words.ts';
import { encodeApi, encodeApiKey, encodeSubscription } from '../../../proto/wire/payloads.ts';
import type { PublishChange } from '../../publish/publisher.ts';
import type { OpeningKey } from '../api-keys/api-keys.store.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { withFetched } from '../apis/fetched-properties.ts';
import { clientIdOf } from '../applications/application-shape.ts';
import type { ApplicationRow } from '../applications/applications.store.ts';
import { certificatesOf } from '../applications/certificates.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import type { DeploymentRow } from './deployments.store.ts';

/** Says whether gateways know a subscription of that status; a paused one they refuse by name. */
export function isServed(status: string): boolean {
  return status === 'ACCEPTED' || status === 'PAUSED';
}

/** The API as gateways get it: what was deployed, not what was written since, with the properties that were fetched. */
export function apiRecord(api: ApiRow, deployment: DeploymentRow, fetched: Words | undefined): PublishChange {
  const { services: _done, ...definition } = JSON.parse(deployment.definition) as ApiDefinition;
  const properties = withFetched(definition.properties, fetched);
  return {
    kind: 'api',
    id: api.id,
    revision: String(deployment.number),
    tags: JSON.parse(deployment.tags) as string[],
    payload: encodeApi({
      id: api.id,
      name: definition.name,
      revision: String(deployment.number),
      definition: JSON.stringify({ ...definition, properties }),
    }),
  };
}

/** A subscription as gateways get it, or its withdrawal. */
export function subscriptionRecord(
  row: SubscriptionRow,
  application: ApplicationRow,
  tags: readonly string[],
): PublishChange {
  if (!isServed(row.status)) return { kind: 'subscription', id: row.id, isDeleted: true };
  const clientId = clientIdOf(application);
  const certificates = certificatesOf(application).map(({ known: { sha256 }, startingAtMs, endingAtMs }) => ({
    sha256,
    ...(startingAtMs !== undefined && { startingAtMs }),
    ...(endingAtMs !== undefined && { endingAtMs }),
  }));
  return {
    kind: 'subscription',
    id: row.id,
    revision: String(row.updated_at_ms),
    tags,
    payload: encodeSubscription({
      id: row.id,
      api: row.api_id,
      plan: row.plan_id,
      application: row.application_id,
      applicationName: application.name,
      ...(clientId === undefined ? {} : { clientId }),
      // Whom the consumer stopped is refused as who is paused.
      status: row.consumer_status === 'STOPPED' ? 'PAUSED' : row.status,
      ...(certificates.length > 0 && { certificates }),
      ...(row.starting_at_ms === null ? {} : { startingAtMs: row.starting_at_ms }),
      ...(row.ending_at_ms === null ? {} : { endingAtMs: row.ending_at_ms }),
      metadata: new Map(Object.entries(JSON.parse(row.metadata) as Readonly<Record<string, string>>)),
    }),
  };
}

/**
 * A key as gateways get it for one of its subscriptions, with the tags of that one's API; a revoked one is withdrawn, so that it is gone
 * from every cache.
 */
export function keyRecord(
  row: OpeningKey,
  isSubscriptionServed: boolean,
  tags: readonly string[],
): PublishChange {
  if (row.revoked_at_ms !== null || !isSubscriptionServed)
    return { kind: 'api-key', id: row.record_id, isDeleted: true };
  return {
    kind: 'api-key',
    id: row.record_id,
    revision: String(row.updated_at_ms),
    tags,
    payload: encodeApiKey({
      id: row.record_id,
      hash: Buffer.from(row.hash, 'hex'),
      api: row.api_id,
      subscriptions: [row.subscription_id],
      ...(row.expire_at_ms === null ? {} : { expireAtMs: row.expire_at_ms }),
      isRevoked: false,
    }),
  };
}
