import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startAnalytics } from '../../../control-plane/analytics/start.ts';
import { analyticsSettings } from '../../../control-plane/analytics/settings.ts';
import { createPublisher, type PublishChange } from '../../../control-plane/publish/publisher.ts';
import { createPublishedRepository } from '../../../control-plane/publish/repository.ts';
import { openKeyringOf } from '../../../control-plane/publish/sealed.ts';
import { createFileBlobs } from '../../../control-plane/storage/blobs/files.ts';
import { openStorage, type Storage } from '../../../control-plane/storage/storage.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { foldersOf } from '../../../proto/process/data-folder.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import {
  decodeApi,
  decodeApiKey,
  decodeSubscription,
  encodeApi,
  encodeApiKey,
  encodeSubscription,
} from '../../../proto/wire/payloads.ts';
import type { EnvironmentRef, RecordKind } from '../../../proto/wire/published.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import { land, recordLine } from '../control-plane/landing.ts';
import { eventually } from '../eventually.ts';
import type { Platform } from '../processes/up.ts';
import { makeTemplates, type Templates } from './templates.ts';
import { fillWorld, sizes } from './world.ts';

/** Calls in the lake, of a day up to when they were made. */
export const logRows = 1_000_000;
const rowsPerObject = 20_000;
const spanMs = 86_400_000;
const changesPerPublish = 10_000;
const log = createLog({ name: 'test', level: 'silent' });

/** Makes one of each kind in a platform that runs, through its door. */
export const templatesOf = ({ client }: Platform): Promise<Templates> =>
  makeTemplates((method, path, body) =>
    client.call(method, path.replace(/^\/management/, ''), body === undefined ? {} : { body }),
  );

/**
 * Fills the folder of a platform that has ended with the world of `world.ts`, all of whose APIs, subscriptions and keys gateways have to learn, and a
 * million calls of it in its lake.
 */
export async function fillFolder(t: TestContext, dir: string, like: Templates): Promise<void> {
  const storage = await openStorage({ dataDir: dir, log });
  try {
    const at = await placeOf(storage);
    await fillWorld(storage, at, like);
    await publishWorld(storage, at, { dir, like });
    await fillLake(t, storage, { dir, at });
  } finally {
    await storage.close();
  }
}

async function placeOf({ db }: Storage): Promise<EnvironmentRef> {
  const row = await db.selectFrom('environment').select(['id', 'organization']).executeTakeFirstOrThrow();
  return { organization: row.organization, environment: row.id };
}

/** Publishes what `fillWorld` has made of APIs, subscriptions and keys. */
async function publishWorld(
  storage: Storage,
  at: EnvironmentRef,
  { dir, like }: { readonly dir: string; readonly like: Templates },
): Promise<void> {
  const keyring = await openKeyringOf(storage.db, { dir: foldersOf(dir).secrets });
  const publisher = createPublisher({ storage, keyring, clock: systemClock, log });
  const repository = createPublishedRepository({ storage, clock: systemClock });
  const { headers } = await repository.headersAfter(at, 0, 10_000);
  const payloadOf = async (kind: RecordKind, isMeant: (id: string) => boolean) => {
    const wanted = headers.filter((header) => header.kind === kind && isMeant(header.id));
    const [found] = await repository.payloads(at, wanted);
    if (found === undefined) throw new Error(`no ${kind} is published to be like`);
    return decodeRecord(found.bytes).payload;
  };
  const api = decodeApi(await payloadOf('api', (id) => id === like.api));
  const subscription = decodeSubscription(await payloadOf('subscription', (id) => id === like.subscription));
  const key = decodeApiKey(await payloadOf('api-key', (id) => id.startsWith(like.key)));
  const rows = await storage.db
    .selectFrom('subscription')
    .innerJoin('api_key', 'api_key.exclusive_to', 'subscription.id')
    .where('subscription.organization', '=', at.organization)
    .where('subscription.id', 'like', 'sub-%')
    .select([
      'subscription.id',
      'api_id',
      'plan_id',
      'subscription.application_id',
      'status',
      'api_key.id as key',
    ])
    .execute();
  const paths = await storage.db
    .selectFrom('api_path')
    .where('organization', '=', at.organization)
    .where('api_id', 'like', 'api-%')
    .select(['api_id', 'path'])
    .execute();
  const common = { revision: '1', tags: [] } as const;
  const changes: PublishChange[] = paths.map(({ api_id: id, path }, n) => ({
    ...common,
    kind: 'api',
    id,
    payload: encodeApi({
      ...api,
      id,
      name: `API ${n}`,
      definition: api.definition
        .replaceAll(like.api, id)
        .replaceAll(like.plan, id.replace('api-', 'plan-'))
        .replaceAll('"/template', `"${path.replace(/\/$/, '')}`),
    }),
  }));
  for (const row of rows) {
    const of = { api: row.api_id, plan: row.plan_id, application: row.application_id };
    changes.push(
      {
        ...common,
        kind: 'subscription',
        id: row.id,
        payload: encodeSubscription({ ...subscription, ...of, id: row.id, status: row.status }),
      },
      {
        ...common,
        kind: 'api-key',
        id: row.key,
        payload: encodeApiKey({
          ...key,
          id: row.key,
          api: row.api_id,
          subscriptions: [row.id],
          hash: createHash('sha256').update(row.key).digest(),
        }),
      },
    );
  }
  for (let first = 0; first < changes.length; first += changesPerPublish)
    await storage.transaction((trx) =>
      publisher.publish(trx, at, { changes: changes.slice(first, first + changesPerPublish), actor: '' }),
    );
}

/** What is different from call to call, e.g. of the 7th of a million: most are of sixty APIs, one in fifty is refused or failed. */
export function callOf(n: number): {
  readonly api: number;
  readonly isBad: boolean;
  readonly responseUs: number;
} {
  return {
    api: (n * 7_919) % 97 === 0 ? (n % sizes.apis) + 1 : (n % 60) + 1,
    isBad: n % 50 === 0,
    responseUs: 800 + ((n * 7_919) % 60_000),
  };
}

function lineOf(n: number, { organization, environment }: EnvironmentRef, untilMs: number): string {
  const { api, isBad, responseUs } = callOf(n);
  const id = createHash('md5').update(String(n)).digest('hex');
  return recordLine({
    org_id: organization,
    env_id: environment,
    api_id: `api-${api}`,
    api_name: `API ${api}`,
    plan_id: `plan-${api}`,
    application_id: `app-${(n % 200) + 1}`,
    subscription_id: `sub-${(n % 1_000) + 1}`,
    security_type: 'API_KEY',
    entrypoint_id: 'http-proxy',
    timestamp: Math.floor(untilMs - spanMs + (n / logRows) * spanMs),
    request_id: id,
    transaction_id: id,
    http_method: ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'][n % 6],
    host: 'api.example.com',
    uri: `/orders/v${api}/items/${n % 10_000}`,
    path_info: `/items/${n % 10_000}`,
    status: isBad ? [401, 404, 429, 500, 503][(n / 50) % 5] : 200,
    gateway_response_time_us: responseUs,
    gateway_latency_us: 300,
    endpoint: 'http://backend.internal:8080/v1',
    endpoint_response_time_us: responseUs - 300,
    remote_address: `10.0.${n % 200}.${n % 7}`,
    outcome: 'complete',
    ...(isBad && { error_key: 'API_KEY_INVALID' }),
  });
}

/** Lands the calls as a gateway's that has gone, and waits until they are taken into the lake, with what dashboards read of it. */
async function fillLake(
  t: TestContext,
  storage: Storage,
  { dir, at }: { readonly dir: string; readonly at: EnvironmentRef },
): Promise<void> {
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 30_000 });
  t.after(() => lifecycle.close());
  const blobs = createFileBlobs(foldersOf(dir).blobs);
  const settings = analyticsSettings.parse({ ingestEveryMs: 100, graceMs: 0, ingestMsMax: 600_000 });
  const untilMs = Date.now();
  for (let first = 0; first < logRows; first += rowsPerObject) {
    const lines = Array.from({ length: rowsPerObject }, (_, n) => lineOf(first + n, at, untilMs));
    await land(blobs, lines, { ...at, first });
  }
  await startAnalytics({
    storage,
    blobs,
    dir: join(dir, 'filling'),
    settings,
    log,
    clock: systemClock,
    lifecycle,
    metrics: createMetrics(),
  });
  await eventually(
    async () => {
      const rows = await storage.db
        .selectFrom('lake_file')
        .select(['record_count', 'rollup'])
        .where('state', '=', 'live')
        .execute();
      const taken = rows.reduce((sum, { record_count: count }) => sum + Number(count), 0);
      return taken >= logRows && rows.every(({ rollup }) => rollup !== null);
    },
    { timeoutMs: 600_000, everyMs: 500 },
  );
  await lifecycle.close();
}
