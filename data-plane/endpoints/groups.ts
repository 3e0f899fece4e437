import type { ConditionScope } from '../../proto/expression/condition.ts';
import type { JudgePieces } from '../../proto/expression/template.ts';
import { Fault } from '../../proto/faults/fault.ts';
import type { ApiDefinition, EndpointDefinition, EndpointGroupDefinition } from '../../proto/model/api.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import { calledUrlOf } from './called-url.ts';
import { describe, describeDiscovery, type Described } from './described.ts';
import type { FoundEndpoint } from './discovery/found.ts';
import {
  type DescribedGroup,
  type Endpoint,
  type EndpointsGround,
  Group,
  type GroupTools,
  type Started,
} from './group.ts';
import { readRoute, type Route } from './route.ts';

/** A request that looks for its backend. */
export interface EndpointSeeker extends ConditionScope {
  /** Where a step has routed it: a URL, `name:` or `name:/path`. */
  readonly route: string | undefined;
  /** Undefined where the next call goes to whose turn it is. */
  readonly retry: Retry | undefined;
}

/** Calls of one request that go through the endpoints of a group in their order. */
export interface Retry {
  /** Calls before this one. */
  count: number;
  /** Whom the first one went to. */
  first: string | undefined;
}

/** The backends of one revision of an API. */
export interface Endpoints {
  /** One is checked, has to be found, or reads files of this gateway: all that is done when the API is deployed. */
  readonly beginsEarly: boolean;
  /** Takes pools for them, and follows how they are; before that there is no next one. Once. */
  start(ground: EndpointsGround): void;
  /** The next one in turn, or the one that the request is routed to; undefined when there is none, it is down, or the gateway may not call it. */
  next(seeker: EndpointSeeker): Endpoint | undefined;
  /** The same backend's way to any URL; undefined where the gateway may not call. */
  toward(endpoint: Endpoint, url: URL): Endpoint | undefined;
  /** What an operator must be told about them, for the log at level WARN; once per endpoint. */
  readonly warnings: readonly string[];
  /** Gives back what `start` took. */
  release(): void;
}

/**
 * Compiles the endpoint groups of an API; requests go to the first group that has endpoints, balanced as it says, unless a step routes them.
 *
 * Errors: request.invalid when one cannot be used on this gateway, or leads to an address that it may not call. No pool is opened.
 */
export function createEndpoints(
  definition: ApiDefinition,
  { standing, ...tools }: GroupTools & { readonly standing: { readonly tenant: string | undefined } },
): Endpoints {
  const warnings: string[] = [];
  const described = definition.endpointGroups.map((group, g): DescribedGroup => ({
    name: group.name,
    balancing: group.loadBalancer.type,
    discovery: describeDiscovery(group, { g, guard: tools.guard }),
    describeFound: (found) =>
      describeFound(group, found, { g, guard: tools.guard, judgeTarget: tools.judgeTarget, standing }),
    endpoints: group.endpoints.flatMap((endpoint, e) => {
      if (!isCalledFrom(endpoint, standing)) return [];
      const { described: one, warnings: told } = describe(group, endpoint, {
        at: { g, e },
        guard: tools.guard,
        judgeTarget: tools.judgeTarget,
      });
      warnings.push(...told);
      return [one];
    }),
  }));
  const used = described.findIndex(hasEndpoints);
  described.forEach((group, g) => {
    if (g !== used && hasEndpoints(group))
      warnings.push(
        `endpointGroups[${g}] gets no request but those that a step routes to it: all others go to the first group that has endpoints.`,
      );
  });
  const groups: Group[] = [];
  return {
    beginsEarly: described.some(
      ({ endpoints, discovery }) =>
        discovery !== undefined ||
        endpoints.some(({ check, readsFiles }) => check !== undefined || readsFiles),
    ),
    start(ground) {
      for (const group of described) groups.push(new Group(group, ground, tools));
    },
    next(seeker) {
      const group = groups[used];
      const { route, retry } = seeker;
      const read = route === undefined ? undefined : readRoute(route);
      const after = retry === undefined ? undefined : following(groups, retry);
      if (after !== undefined) return along(read, after.take(seeker));
      if (route === undefined) return group === undefined ? undefined : group.next()?.take(seeker);
      return routed(read, { groups, first: group?.endpoints[0], scope: seeker });
    },
    toward: ({ name }, url) => endpointIn(groups, name)?.toward(calledUrlOf(url.href)),
    warnings,
    release() {
      for (const group of groups) group.release();
    },
  };
}

/** It has some, or will once they are found. */
const hasEndpoints = ({ endpoints, discovery }: DescribedGroup): boolean =>
  endpoints.length > 0 || discovery !== undefined;

/** What was found, called as its group says; undefined where this gateway does not call it. */
function describeFound(
  group: EndpointGroupDefinition,
  { name, target, address, weight, secondary, tenants }: FoundEndpoint,
  at: {
    readonly g: number;
    readonly guard: Guard;
    readonly judgeTarget: JudgePieces;
    readonly standing: { readonly tenant: string | undefined };
  },
): Described | undefined {
  const endpoint: EndpointDefinition = {
    name,
    type: 'http-proxy',
    weight,
    secondary,
    tenants: [...tenants],
    inheritConfiguration: true,
    configuration: { target },
    sharedConfigurationOverride: {},
  };
  if (!isCalledFrom(endpoint, at.standing)) return undefined;
  try {
    const place = {
      at: { g: at.g, e: group.endpoints.length },
      guard: at.guard,
      judgeTarget: at.judgeTarget,
      address,
    };
    return describe(group, endpoint, place).described;
  } catch (error) {
    // A store that could be read when the API was deployed, and cannot now.
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** The endpoint of that name, one of the group of that name, or a URL, in the way of the first endpoint. */
function routed(
  route: Route | undefined,
  {
    groups,
    first,
    scope,
  }: {
    readonly groups: readonly Group[];
    readonly first: Started | undefined;
    readonly scope: ConditionScope;
  },
): Endpoint | undefined {
  const nowhere = (why: string): undefined => {
    scope.warn('NO_ENDPOINT_FOUND', why);
    return undefined;
  };
  if (route === undefined) return nowhere('the request is routed to what is neither a URL nor `name:`');
  if (route.kind === 'url')
    return (
      first?.toward(route.url) ?? nowhere('the request is routed to a URL that the gateway may not call')
    );
  const named = endpointIn(groups, route.name);
  // Whoever is named gets the request although others failed there, but not while its health check says that it is down.
  if (named !== undefined) return along(route, named.isUp ? named.take(scope) : undefined);
  const group = groups.find(({ name }) => name === route.name);
  if (group === undefined)
    return nowhere(`the request is routed to "${shownName(route.name)}", which the API does not have`);
  return along(route, group.next()?.take(scope));
}

function endpointIn(groups: readonly Group[], name: string): Started | undefined {
  for (const { endpoints } of groups)
    for (const endpoint of endpoints) if (endpoint.name === name) return endpoint;
  return undefined;
}

/** What a log line shows of a name that may be a request's. */
const shownName = (name: string): string => name.slice(0, 64);

/** With the path and query of a route to a name, which are there whoever is called. */
function along(route: Route | undefined, endpoint: Endpoint | undefined): Endpoint | undefined {
  return endpoint === undefined || route?.kind !== 'named'
    ? endpoint
    : { ...endpoint, path: route.path, query: route.query };
}

/**
 * Whom a call after the first goes to: after the first one's endpoint, in the order of its group, those that come next and get requests,
 * around the end. Undefined for a first call, and in a group of one.
 */
function following(groups: readonly Group[], { count, first }: Retry): Started | undefined {
  if (count === 0) return undefined;
  const all = groups.find((group) => group.endpoints.some(({ name }) => name === first))?.endpoints ?? [];
  if (all.length < 2) return undefined;
  const at = all.findIndex(({ name }) => name === first);
  const others = [...all.slice(at + 1), ...all.slice(0, at + 1)].filter(({ isAvailable }) => isAvailable);
  return others[(count - 1) % others.length];
}

/** Endpoints of tenants are called by gateways of theirs, and by those that have none. */
function isCalledFrom(
  { tenants }: EndpointDefinition,
  { tenant }: { readonly tenant: string | undefined },
): boolean {
  return tenants.length === 0 || tenant === undefined || tenants.includes(tenant);
}
