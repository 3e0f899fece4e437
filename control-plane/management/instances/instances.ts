import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { isEntitled } from '../../../proto/trust/entitlement.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type GatewayView, gatewayViews } from '../../publish/gateway-views.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import {
  findInstance,
  type InstanceFilter,
  listInstanceRows,
  listPublishedApis,
  refusalsOf,
} from './instances.store.ts';

/** A gateway as clients of the reference know one. Gateways dial out, so that nobody here knows an address of theirs. */
export const instanceSchema = z
  .object({ id: z.string(), hostname: z.string() })
  .openapi('InstanceDetailResponse');

const states = ['STARTED', 'STOPPED', 'UNKNOWN'] as const;
const v1Fields = {
  /** The same as id: here no event stands for a gateway. */
  event: z.string(),
  id: z.string(),
  hostname: z.string(),
  version: z.string(),
  tags: z.array(z.string()),
  tenant: z.string().optional(),
  state: z.enum(states),
  /** ms since the epoch. */
  started_at: z.int().optional(),
  last_heartbeat_at: z.int().optional(),
  stopped_at: z.int().optional(),
};
/** A page of gateways as version 1 has it. */
export const v1InstancesSchema = z
  .object({
    content: z.array(z.object(v1Fields)),
    pageNumber: z.int(),
    pageElements: z.int(),
    totalElements: z.int(),
  })
  .openapi('InstancesV1');

/** A gateway with all that it told of itself; what it did not tell is not there. */
export const v1InstanceSchema = z
  .object({
    ...v1Fields,
    fleet: z.string(),
    enrolled_at: z.int(),
    environments: z.array(z.string()),
    plugins: z.array(z.object({ id: z.string(), type: z.literal('policy') })),
    /** What it serves of this environment, and since when (ms since the epoch); absent before it serves anything. */
    applied: z.object({ epoch: z.int(), seq: z.int(), applied_at: z.int() }).optional(),
    /** What it refuses of this environment, the newest first, 100 at most. */
    refusals: z.array(
      z.object({
        kind: z.string(),
        id: z.string(),
        seq: z.int(),
        code: z.string(),
        reason: z.string(),
        refused_at: z.int(),
      }),
    ),
    /** Figures of its last heartbeat, since its start, e.g. requests, spoolBytes, droppedRecords, certificateEndsAtMs. */
    counters: z.record(z.string(), z.number()),
  })
  .openapi('InstanceV1');

/** An API on a gateway. */
export const instanceApiSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    apiVersion: z.string(),
    /** What is published of it. */
    published: z.object({ seq: z.int(), revision: z.string() }),
    /** applied: served. refused: with the reason. pending: not reached yet. notDeployed: tags keep it away. */
    deployment: z.enum(['applied', 'refused', 'pending', 'notDeployed']),
    code: z.string().optional(),
    reason: z.string().optional(),
  })
  .openapi('InstanceApi');

/** Figures of a process as version 1 has them; what the gateway did not tell is not there. */
export const monitoringSchema = z
  .object({
    process: z.object({ cpu_seconds: z.number().optional(), resident_bytes: z.number().optional() }),
    /** JavaScript's heap, in the reference's name for one. */
    jvm: z.object({
      /** When the gateway told so, and since when it runs; ms. */
      timestamp: z.int().optional(),
      uptime_in_millis: z.int().optional(),
      heap_used_in_bytes: z.number().optional(),
      heap_committed_in_bytes: z.number().optional(),
    }),
  })
  .openapi('InstanceMonitoringV1');

const refusalsMax = 100;

/** A gateway of a fleet that has the environment. Errors: instance.notFound. */
export async function getInstance(
  desk: Desk,
  at: EnvironmentRef,
  id: string,
): Promise<z.infer<typeof instanceSchema>> {
  const { view } = await found(desk, at, id);
  return { id, hostname: view.hostname };
}

/** The same with all that it told. Errors: instance.notFound. */
export async function getV1Instance(
  desk: Desk,
  at: EnvironmentRef,
  id: string,
): Promise<z.infer<typeof v1InstanceSchema>> {
  const seated = await found(desk, at, id);
  const { view } = seated;
  const refusals = await refusalsOf(desk.storage.db, at, { gateway: id, limit: refusalsMax });
  const applied = view.applied.find(({ environment }) => environment === at.environment);
  return present({
    ...v1Instance(seated),
    fleet: view.fleet,
    enrolled_at: view.enrolledAtMs,
    environments: view.applied.map(({ environment }) => environment),
    plugins: view.policies.map((policy) => ({ id: policy, type: 'policy' as const })),
    applied:
      applied === undefined
        ? undefined
        : { epoch: applied.epoch, seq: applied.seq, applied_at: applied.appliedAtMs },
    refusals: refusals.map(({ at_ms: refusedAt, ...rest }) => ({ ...rest, refused_at: refusedAt })),
    counters: { ...view.counters },
  });
}

/** Figures of a gateway's process, as it told them last. Errors: instance.notFound. */
export async function monitorInstance(
  desk: Desk,
  at: EnvironmentRef,
  id: string,
): Promise<z.infer<typeof monitoringSchema>> {
  const { view } = await found(desk, at, id);
  const figures = new Map(Object.entries(view.counters));
  const { startedAtMs, lastSeenMs } = view;
  const uptime =
    startedAtMs === undefined || lastSeenMs === undefined ? undefined : Math.max(0, lastSeenMs - startedAtMs);
  return {
    process: present({
      cpu_seconds: figures.get('cpuSeconds'),
      resident_bytes: figures.get('residentBytes'),
    }),
    jvm: present({
      timestamp: lastSeenMs,
      uptime_in_millis: uptime,
      heap_used_in_bytes: figures.get('heapUsedBytes'),
      heap_committed_in_bytes: figures.get('heapBytes'),
    }),
  };
}

/** A page of the APIs of the environment, each with what the gateway makes of it. Errors: instance.notFound. */
export async function listInstanceApis(
  desk: Desk,
  at: EnvironmentRef,
  { id, page }: { readonly id: string; readonly page: PageWish },
) {
  const { view, tags } = await found(desk, at, id);
  const bounds = boundsOf(page);
  const { rows, total } = await listPublishedApis(desk.storage.db, at, { gateway: id, ...bounds });
  const applied = view.applied.find(({ environment }) => environment === at.environment);
  const data = rows.map((row): z.infer<typeof instanceApiSchema> => {
    const isWanted = isEntitled(tags, JSON.parse(row.tags) as readonly string[]);
    // What it refused of an earlier revision says nothing of this one.
    const isRefused = isWanted && row.nack_seq === row.seq;
    const isReached = applied !== undefined && applied.seq >= row.seq;
    return present({
      id: row.id,
      name: row.name,
      apiVersion: row.api_version,
      published: { seq: row.seq, revision: row.revision },
      deployment: !isWanted ? 'notDeployed' : isRefused ? 'refused' : isReached ? 'applied' : 'pending',
      code: isRefused ? (row.code ?? undefined) : undefined,
      reason: isRefused ? (row.reason ?? undefined) : undefined,
    });
  });
  return { data, total };
}

/** A page of the gateways of fleets that have the environment, by host name. */
export async function listInstances(
  desk: Desk,
  { at, page, ...filter }: InstanceFilter & { readonly at: EnvironmentRef; readonly page: PageWish },
): Promise<z.infer<typeof v1InstancesSchema>> {
  const { rows, total } = await listInstanceRows(desk.storage.db, at, { ...filter, ...boundsOf(page) });
  const content = (await seatedOf(desk, at, rows)).map(v1Instance);
  return { content, pageNumber: page.page ?? 0, pageElements: content.length, totalElements: total };
}

/** How gateways of the environment fare and up to which change they have come, by host name: `limit` of them, and how many there are. */
export async function listGatewayStandings(desk: Desk, at: EnvironmentRef, limit: number) {
  const filter = { includeStopped: false, fromMs: 0, toMs: 0, limit, offset: 0 };
  const { rows, total } = await listInstanceRows(desk.storage.db, at, filter);
  const views = await gatewayViews(desk, at.organization, rows);
  const gateways = views.map(({ id, hostname, fleet, state, applied }) => {
    const own = applied.find(({ environment }) => environment === at.environment);
    return present({ id, hostname, fleet, state, epoch: own?.epoch, seq: own?.seq });
  });
  return { gateways, total };
}

interface Seated {
  readonly view: GatewayView;
  readonly tags: readonly string[];
  readonly tenant: string | undefined;
}

async function found(desk: Desk, at: EnvironmentRef, id: string): Promise<Seated> {
  const row = await findInstance(desk.storage.db, at, id);
  const [seated] = row === undefined ? [] : await seatedOf(desk, at, [row]);
  if (seated === undefined)
    throw new Fault('instance.notFound', {
      parameters: { instance: id },
      detail: `There is no gateway "${id}" in a fleet of this environment.`,
    });
  return seated;
}

async function seatedOf(
  desk: Desk,
  at: EnvironmentRef,
  rows: Awaited<ReturnType<typeof listInstanceRows>>['rows'],
): Promise<readonly Seated[]> {
  const views = await gatewayViews(desk, at.organization, rows);
  return views.map((view, n) => ({
    view,
    tags: JSON.parse(rows[n]?.fleet_tags ?? '[]') as readonly string[],
    tenant: rows[n]?.fleet_tenant ?? undefined,
  }));
}

function v1Instance({ view, tags, tenant }: Seated): z.infer<typeof v1InstancesSchema>['content'][number] {
  return present({
    event: view.id,
    id: view.id,
    hostname: view.hostname,
    version: view.version,
    tags: [...tags],
    tenant,
    state:
      view.state === 'connected'
        ? ('STARTED' as const)
        : view.state === 'revoked'
          ? ('STOPPED' as const)
          : ('UNKNOWN' as const),
    started_at: view.startedAtMs,
    last_heartbeat_at: view.lastSeenMs,
    stopped_at: view.revokedAtMs,
  });
}
