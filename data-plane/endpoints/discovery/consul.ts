import { isIP } from 'node:net';
import { z } from 'zod';

import { apiLimits } from '../../../proto/model/api-limits.ts';
import { type DiscoveryDefinition, discoveredPathSchema } from '../../../proto/model/api.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Guard } from '../../../proto/process/outbound/guard.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { type CalledUrl, calledUrlOf } from '../called-url.ts';
import type { DefinedOptions } from '../options.ts';
import { Origins } from '../origins.ts';
import { OwnCall } from '../own-call.ts';
import type { Upstreams } from '../upstreams.ts';
import { type Answer, type FoundEndpoint, judged, shownWords, type Source } from './found.ts';
import type { DiscoverySettings } from './seeking.ts';

type ConsulDefinition = Extract<DiscoveryDefinition, { readonly type: 'consul-service-discovery' }>;

/** What asking Consul needs. */
export interface ConsulTools {
  readonly settings: DiscoverySettings['consul'];
  readonly clock: Clock;
  readonly guard: Guard;
  readonly upstreams: Upstreams;
  readonly createHeaders: () => HeaderList;
  /** Name of its connections. */
  readonly pool: string;
  readonly optionsOf: (called: CalledUrl) => DefinedOptions;
}

/** Past its wait, which Consul stretches by a sixteenth: for the way there and back. */
const lateMsMax = 10_000;
/** Who says no index does not wait for a change, and is asked again after this time. */
const pollMs = 10_000;

/** Instances as Consul says them (GET /v1/health/service/:service), as far as they are read. */
const instanceSchema = z.object({
  Node: z.object({ Address: z.string() }),
  Service: z.object({
    ID: z.string().min(1),
    Address: z.string().nullish(),
    Port: z.int().min(0).max(65_535).default(0),
    Meta: z
      .object({
        gravitee_path: z.string().optional(),
        gravitee_ssl: z.string().optional(),
        gravitee_weight: z.string().optional(),
        gravitee_tenant: z.string().optional(),
      })
      .nullish(),
    Weights: z.object({ Passing: z.int(), Warning: z.int() }).partial().nullish(),
  }),
  Checks: z.array(z.object({ Status: z.string() })).nullish(),
});

type Instance = z.output<typeof instanceSchema>;

/**
 * Asks Consul for the instances of a service, and again as soon as they have changed (a blocking query).
 *
 * It goes by the engine that requests go by, and only where endpoints may lead. Instances of which a check is critical are none.
 */
export function createConsulSource(
  { url, service, dc, acl }: ConsulDefinition['configuration'],
  tools: ConsulTools,
): Source {
  const { settings, clock } = tools;
  const callMsMax = settings.waitMs + Math.ceil(settings.waitMs / 16) + lateMsMax;
  const pools = new Origins({
    api: tools.pool,
    upstreams: tools.upstreams,
    guard: tools.guard,
    // The whole call has its bound.
    optionsOf: (called) => ({ ...tools.optionsOf(called), readMsMax: 0, bodyMsMax: 0, connectionsMax: 2 }),
  });
  const called = calledUrlOf(url);
  const base = `${called.url.pathname.replace(/\/+$/, '')}/v1/health/service/${encodeURIComponent(service)}`;
  let index = '0';
  const lineOf = (): string => {
    const query = new URLSearchParams({
      ...(dc !== '' && { dc }),
      ...(index !== '0' && { index, wait: `${settings.waitMs}ms` }),
    }).toString();
    return query === '' ? base : `${base}?${query}`;
  };
  const ask = async (signal: AbortSignal): Promise<Answer> => {
    const upstream = pools.toward(called);
    if (upstream === undefined) return failed('leads to where this gateway may not call');
    const headers = tools.createHeaders();
    headers.set('Host', called.url.host);
    headers.set('Accept', 'application/json');
    if (acl !== '') headers.set('X-Consul-Token', acl);
    const call = new OwnCall({ headers, method: 'GET' }, { clock, callMsMax, signal });
    try {
      const result = await call.send(upstream, { target: lineOf(), body: '' });
      if (result.kind !== 'response')
        return failed(result.kind === 'failure' ? result.message : 'it switched protocols');
      const { status, headers: said } = result.head;
      if (status !== 200) {
        result.body.discard();
        index = '0';
        return failed(`it answered ${status}${hintOf(status)}`);
      }
      const bytes = await result.body.buffer(settings.answerBytesMax);
      const instances = instancesOf(Buffer.from(bytes).toString('utf8'));
      if (instances === undefined) return failed('its answer is no list of instances');
      const next = indexOf(said.get('x-consul-index'));
      // One that is smaller than before begins anew, as Consul's documentation asks for.
      index = next === undefined || BigInt(next) < BigInt(index) ? '0' : next;
      const againMs = next === undefined ? pollMs : 0;
      return { kind: 'found', ...endpointsOf(instances, tools.guard), againMs };
    } catch (error) {
      // The body did not come whole, or is larger than may be.
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      call.end();
    }
  };
  return {
    async ask(signal) {
      const answer = await ask(signal);
      // Whoever does not answer is asked anew: it may be another one by then, whose index says nothing.
      if (answer.kind === 'failed') index = '0';
      return answer;
    },
    close: () => pools.release(),
  };
}

const failed = (why: string): Answer => ({ kind: 'failed', why: `Consul: ${shownWords(why)}` });

const hintOf = (status: number): string =>
  status === 401 || status === 403 ? ': the token (acl) may not read the service' : '';

/** Undefined for what nobody understands. */
function instancesOf(text: string): readonly Instance[] | undefined {
  try {
    const parsed = z.array(instanceSchema).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what cannot be waited behind. */
function indexOf(said: string | undefined): string | undefined {
  return said !== undefined && /^[1-9]\d{0,18}$/.test(said) ? said : undefined;
}

function endpointsOf(
  instances: readonly Instance[],
  guard: Guard,
): { readonly endpoints: readonly FoundEndpoint[]; readonly leftOut: readonly string[] } {
  const said: FoundEndpoint[] = [];
  const odd: string[] = [];
  for (const instance of instances) {
    if (instance.Checks?.some(({ Status }) => Status === 'critical') === true) continue;
    const one = endpointOf(instance);
    if (typeof one === 'string') odd.push(one);
    else said.push(one);
  }
  const { endpoints, leftOut } = judged(said, guard);
  return { endpoints, leftOut: [...odd, ...leftOut] };
}

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/;

/** The endpoint that an instance is, or why it is none. */
function endpointOf({ Node, Service, Checks }: Instance): FoundEndpoint | string {
  const { ID, Address, Port, Meta, Weights } = Service;
  const shown = `the instance ${JSON.stringify(shownWords(ID))}`;
  if (!/^[\x21-\x7e]{1,256}$/.test(ID)) return `${shown} has an id that cannot be shown`;
  const host = Address === undefined || Address === null || Address === '' ? Node.Address : Address;
  const isAddress = isIP(host) !== 0;
  if (!isAddress && !hostName.test(host)) return `${shown} has an address that is none`;
  const path = discoveredPathSchema.safeParse(Meta?.gravitee_path ?? '');
  if (!path.success) return `${shown}: gravitee_path ${path.error.issues[0]?.message ?? ''}`;
  const isWarned = Checks?.some(({ Status }) => Status === 'warning') === true;
  const weight = weightOf(
    Meta?.gravitee_weight ?? String((isWarned ? Weights?.Warning : Weights?.Passing) ?? 1),
  );
  if (weight === undefined) return `${shown}: gravitee_weight must be a whole number`;
  const scheme = Meta?.gravitee_ssl?.trim().toLowerCase() === 'true' ? 'https' : 'http';
  const tenant = Meta?.gravitee_tenant?.trim() ?? '';
  return {
    name: `consul#${ID}`,
    // Port 0 is none.
    target: `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}${Port === 0 ? '' : `:${Port}`}${path.data}`,
    address: undefined,
    weight,
    secondary: false,
    tenants: tenant === '' ? [] : [tenant],
  };
}

function weightOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? Math.min(apiLimits.weightMax, Math.max(1, Number(text))) : undefined;
}
