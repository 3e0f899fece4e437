import { Fault } from '../../proto/faults/fault.ts';
import type { ApiDefinition, EndpointDefinition, EndpointGroupDefinition } from '../../proto/model/api.ts';
import { configurationOf } from '../../proto/model/api.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { Upstream } from '../http/exchange.ts';
import { createBalancer } from './balancing.ts';
import { type DefinedOptions, upstreamOptions } from './options.ts';
import { createTarget, type Target } from './target.ts';
import type { HeldUpstream, Upstreams } from './upstreams.ts';

/** A backend, ready to be called. */
export interface Endpoint {
  readonly name: string;
  /** As in records: the target's URL. */
  readonly url: string;
  readonly upstream: Upstream;
  readonly target: Target;
  /** Set on every request. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Whether the backend sees the client's Host instead of its own. */
  readonly propagatesHost: boolean;
  /** Whether the backend hears which encodings the client takes. */
  readonly propagatesEncodings: boolean;
}

/** The backends of one revision of an API. */
export interface Endpoints {
  /** Takes pools for them; before that there is no next one. Once. */
  start(api: string, upstreams: Upstreams): void;
  /** The next one in turn; undefined when there is none. */
  next(): Endpoint | undefined;
  /** What an operator must be told about them, for the log at level WARN; once per endpoint. */
  readonly warnings: readonly string[];
  /** Gives the pools back. */
  release(): void;
}

/**
 * Compiles the endpoint groups of an API; requests go to the first group that has endpoints, balanced as it says.
 *
 * Errors: request.invalid when one cannot be used on this gateway, or leads to an address that it may not call. No pool is opened.
 */
export function createEndpoints(
  definition: ApiDefinition,
  { guard, standing }: { readonly guard: Guard; readonly standing: { readonly tenant: string | undefined } },
): Endpoints {
  const warnings: string[] = [];
  const groups = definition.endpointGroups.map((group, g) =>
    group.endpoints.flatMap((endpoint, e) => {
      if (!isCalledFrom(endpoint, standing)) return [];
      const at = endpoint.inheritConfiguration
        ? `endpointGroups[${g}].sharedConfiguration`
        : `endpointGroups[${g}].endpoints[${e}].sharedConfigurationOverride`;
      const { url, options, warnings: told, ...rest } = describe(group, endpoint, at);
      refuseDenied(options, guard, `endpointGroups[${g}].endpoints[${e}].configuration.target`);
      warnings.push(...told);
      const { weight, secondary } = endpoint;
      return [
        { weight, secondary, options, described: { ...rest, url: url.href, target: createTarget(url) } },
      ];
    }),
  );
  const first = groups.findIndex((group) => group.length > 0);
  groups.forEach((group, g) => {
    if (g !== first && group.length > 0)
      warnings.push(`endpointGroups[${g}] gets no request: all go to the first group that has endpoints.`);
  });
  const held: HeldUpstream[] = [];
  let next = (): { readonly endpoint: Endpoint } | undefined => undefined;
  return {
    start(api, upstreams) {
      const started = (groups[first] ?? []).map(({ weight, secondary, options, described }) => {
        const one = upstreams.hold(api, options);
        held.push(one);
        return { weight, secondary, endpoint: { ...described, upstream: one.upstream } };
      });
      next = createBalancer(definition.endpointGroups[first]?.loadBalancer.type ?? 'round-robin', started);
    },
    next: () => next()?.endpoint,
    warnings,
    release: () => held.splice(0).forEach((one) => one.release()),
  };
}

/** Endpoints of tenants are called by gateways of theirs, and by those that have none. */
function isCalledFrom(
  { tenants }: EndpointDefinition,
  { tenant }: { readonly tenant: string | undefined },
): boolean {
  return tenants.length === 0 || tenant === undefined || tenants.includes(tenant);
}

function refuseDenied(
  { host, port }: Pick<DefinedOptions, 'host' | 'port'>,
  guard: Guard,
  path: string,
): void {
  try {
    guard.checkHost({ host, port });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const message = `leads to ${host}:${port}, which this gateway may not call (settings upstream.allow, upstream.deny)`;
    throw new Fault('request.invalid', { details: [{ path, message }] });
  }
}

function describe(group: EndpointGroupDefinition, endpoint: EndpointDefinition, at: string) {
  const { target } = endpoint.configuration;
  if (!URL.canParse(target))
    throw new Fault('request.invalid', { detail: `The target of ${endpoint.name} is no URL.` });
  const url = new URL(target);
  const configuration = configurationOf(group, endpoint);
  return {
    name: endpoint.name,
    url,
    ...upstreamOptions(url, configuration, { at, environment: process.env }),
    headers: configuration.headers,
    propagatesHost: configuration.http.propagateClientHost,
    propagatesEncodings:
      configuration.http.useCompression || configuration.http.propagateClientAcceptEncoding,
  };
}
