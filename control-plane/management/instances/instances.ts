import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { GatewayView } from '../../publish/gateway-views.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';

/** Most fleets of an organization, and gateways of one fleet, that are looked through. */
const listMax = 1_000;

/** A gateway as clients of the reference know one. Gateways dial out, so that nobody here knows an address of theirs. */
export const instanceSchema = z
  .object({ id: z.string(), hostname: z.string() })
  .openapi('InstanceDetailResponse');

const states = ['STARTED', 'STOPPED', 'UNKNOWN'] as const;
const v1InstanceSchema = z.object({
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
});
/** A page of gateways as version 1 has it. */
export const v1InstancesSchema = z
  .object({
    content: z.array(v1InstanceSchema),
    pageNumber: z.int(),
    pageElements: z.int(),
    totalElements: z.int(),
  })
  .openapi('InstancesV1');
type V1Instance = z.infer<typeof v1InstanceSchema>;

/** What a list of gateways may be narrowed by. */
interface InstancesWish {
  readonly at: EnvironmentRef;
  /** Revoked gateways too. */
  readonly includeStopped: boolean;
  /** Heard of in this span, ms since the epoch; 0 is no bound. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly page: PageWish;
}

/** A gateway of a fleet that has the environment. Errors: instance.notFound. */
export async function getInstance(
  desk: Desk,
  at: EnvironmentRef,
  id: string,
): Promise<z.infer<typeof instanceSchema>> {
  const found = (await gatewaysOf(desk, at)).find(({ gateway }) => gateway.id === id);
  if (found === undefined)
    throw new Fault('instance.notFound', {
      parameters: { instance: id },
      detail: `There is no gateway "${id}" in a fleet of this environment.`,
    });
  return { id, hostname: found.gateway.hostname };
}

/** A page of the gateways of fleets that have the environment, by host name. */
export async function listInstances(
  desk: Desk,
  { at, includeStopped, fromMs, toMs, page }: InstancesWish,
): Promise<z.infer<typeof v1InstancesSchema>> {
  const wanted = (await gatewaysOf(desk, at))
    .filter(({ gateway: { state, lastSeenMs = 0 } }) => {
      const isInSpan = (fromMs === 0 || lastSeenMs >= fromMs) && (toMs === 0 || lastSeenMs <= toMs);
      return isInSpan && (includeStopped || state !== 'revoked');
    })
    .toSorted(
      (a, b) =>
        a.gateway.hostname.localeCompare(b.gateway.hostname) || (a.gateway.id < b.gateway.id ? -1 : 1),
    );
  const { limit, offset } = boundsOf(page);
  const content = wanted.slice(offset, offset + limit).map(v1Instance);
  return {
    content,
    pageNumber: page.page ?? 0,
    pageElements: content.length,
    totalElements: wanted.length,
  };
}

interface Seated {
  readonly gateway: GatewayView;
  readonly fleet: { readonly tags: readonly string[]; readonly tenant?: string | undefined };
}

async function gatewaysOf(desk: Desk, at: EnvironmentRef): Promise<readonly Seated[]> {
  const fleets = await desk.fleets.list(at.organization, { limit: listMax });
  const seated: Seated[] = [];
  for (const fleet of fleets.filter(({ environments }) => environments.includes(at.environment))) {
    const gateways = await desk.fleets.gateways(at.organization, { fleet: fleet.id, limit: listMax });
    seated.push(...gateways.map((gateway) => ({ gateway, fleet })));
  }
  return seated;
}

function v1Instance({ gateway, fleet }: Seated): V1Instance {
  return present({
    event: gateway.id,
    id: gateway.id,
    hostname: gateway.hostname,
    version: gateway.version,
    tags: [...fleet.tags],
    tenant: fleet.tenant,
    state:
      gateway.state === 'connected'
        ? ('STARTED' as const)
        : gateway.state === 'revoked'
          ? ('STOPPED' as const)
          : ('UNKNOWN' as const),
    started_at: gateway.startedAtMs,
    last_heartbeat_at: gateway.lastSeenMs,
    stopped_at: gateway.revokedAtMs,
  });
}
