import type { z } from 'zod';

import type { ConditionScope } from '../../proto/expression/condition.ts';
import { compileTemplate, type Template } from '../../proto/expression/template.ts';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import type { ApiDefinition, EndpointDefinition, EndpointGroupDefinition } from '../../proto/model/api.ts';
import { configurationOf, targetSchema } from '../../proto/model/api.ts';
import { headerValueSchema } from '../../proto/model/head-text.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { Upstream } from '../http/exchange.ts';
import { createBalancer, type Weighted } from './balancing.ts';
import { type DefinedOptions, upstreamOptions } from './options.ts';
import { Origins } from './origins.ts';
import { readRoute, type Route, urlOf } from './route.ts';
import { createTarget, type Target } from './target.ts';
import type { HeldUpstream, Upstreams } from './upstreams.ts';

/** A backend, ready to be called. */
export interface Endpoint {
  readonly name: string;
  /** As in records: the target's URL. */
  readonly url: string;
  readonly upstream: Upstream;
  readonly target: Target;
  /** In place of the path below the context path; undefined where the request's own goes on. */
  readonly path: string | undefined;
  /** Before the request's own query. */
  readonly query: string | undefined;
  /** Set on every request. */
  readonly headers: readonly { readonly name: string; readonly value: Template<string> }[];
  /** Whether the backend sees the client's Host instead of its own. */
  readonly propagatesHost: boolean;
  /** Whether the backend hears which encodings the client takes. */
  readonly propagatesEncodings: boolean;
}

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
  /** Takes pools for them; before that there is no next one. Once. */
  start(api: string, upstreams: Upstreams): void;
  /** The next one in turn, or the one that the request is routed to; undefined when there is none, or the gateway may not call it. */
  next(seeker: EndpointSeeker): Endpoint | undefined;
  /** What an operator must be told about them, for the log at level WARN; once per endpoint. */
  readonly warnings: readonly string[];
  /** Gives the pools back. */
  release(): void;
}

/** An endpoint as it is known before there are pools. */
interface Described extends Omit<Endpoint, 'upstream' | 'target' | 'url' | 'path' | 'query'> {
  readonly share: Weighted;
  readonly written: Template<string>;
  readonly optionsOf: (url: URL) => DefinedOptions;
}

/** One whose pools are there. */
interface Started extends Weighted {
  readonly name: string;
  /** Errors: none; undefined when it cannot be called. */
  readonly take: (scope: ConditionScope) => Endpoint | undefined;
  /** The same backend's way to any URL. */
  readonly toward: (url: URL) => Endpoint | undefined;
}

interface Group {
  readonly name: string;
  readonly endpoints: readonly Started[];
  /** Whose turn it is. */
  readonly next: () => Started | undefined;
}

/**
 * Compiles the endpoint groups of an API; requests go to the first group that has endpoints, balanced as it says, unless a step routes them.
 *
 * Errors: request.invalid when one cannot be used on this gateway, or leads to an address that it may not call. No pool is opened.
 */
export function createEndpoints(
  definition: ApiDefinition,
  { guard, standing }: { readonly guard: Guard; readonly standing: { readonly tenant: string | undefined } },
): Endpoints {
  const warnings: string[] = [];
  const described = definition.endpointGroups.map((group, g) => ({
    name: group.name,
    balancing: group.loadBalancer.type,
    endpoints: group.endpoints.flatMap((endpoint, e) => {
      if (!isCalledFrom(endpoint, standing)) return [];
      const at = endpoint.inheritConfiguration
        ? `endpointGroups[${g}].sharedConfiguration`
        : `endpointGroups[${g}].endpoints[${e}].sharedConfigurationOverride`;
      const { warnings: told, ...rest } = describe(group, endpoint, at);
      const path = `endpointGroups[${g}].endpoints[${e}].configuration.target`;
      if (rest.written.kind === 'constant')
        refuseDenied(rest.optionsOf(new URL(rest.written.value)), guard, path);
      warnings.push(...told);
      return [rest];
    }),
  }));
  const used = described.findIndex(({ endpoints }) => endpoints.length > 0);
  described.forEach(({ endpoints }, g) => {
    if (g !== used && endpoints.length > 0)
      warnings.push(
        `endpointGroups[${g}] gets no request but those that a step routes to it: all others go to the first group that has endpoints.`,
      );
  });
  const held: { release(): void }[] = [];
  let groups: readonly Group[] = [];
  return {
    start(api, upstreams) {
      groups = described.map(({ name, balancing, endpoints: written }) => {
        const endpoints = written.map((each) => startEndpoint(each, { api, upstreams, guard, held }));
        return { name, endpoints, next: createBalancer(balancing, endpoints) };
      });
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
    warnings,
    release: () => held.splice(0).forEach((one) => one.release()),
  };
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
  if (route === undefined) return undefined;
  if (route.kind === 'url') return first?.toward(route.url);
  const named = groups.flatMap(({ endpoints }) => endpoints).find(({ name }) => name === route.name);
  const group = groups.find(({ name }) => name === route.name);
  return along(route, (named ?? (group === undefined ? undefined : group.next()))?.take(scope));
}

/** With the path and query of a route to a name, which are there whoever is called. */
function along(route: Route | undefined, endpoint: Endpoint | undefined): Endpoint | undefined {
  return endpoint === undefined || route?.kind !== 'named'
    ? endpoint
    : { ...endpoint, path: route.path, query: route.query };
}

/**
 * Whom a call after the first goes to: after the first one's endpoint, in the order of its group, those that come next, around the end.
 * Undefined for a first call, and in a group of one.
 */
function following(groups: readonly Group[], { count, first }: Retry): Started | undefined {
  if (count === 0) return undefined;
  const endpoints = groups.find((group) => group.endpoints.some(({ name }) => name === first))?.endpoints;
  if (endpoints === undefined || endpoints.length < 2) return undefined;
  const at = endpoints.findIndex(({ name }) => name === first);
  return endpoints[(at + count) % endpoints.length];
}

function startEndpoint(
  { written, optionsOf, share, ...rest }: Described,
  {
    api,
    upstreams,
    guard,
    held,
  }: {
    readonly api: string;
    readonly upstreams: Upstreams;
    readonly guard: Guard;
    readonly held: { release(): void }[];
  },
): Started {
  let origins: Origins | undefined;
  const toward = (url: URL, path?: string): Endpoint | undefined => {
    if (origins === undefined) held.push((origins = new Origins({ api, upstreams, guard, optionsOf })));
    const upstream = origins.toward(url);
    return (
      upstream && { ...rest, url: url.href, target: createTarget(url), upstream, path, query: undefined }
    );
  };
  if (written.kind === 'varying')
    return {
      ...share,
      name: rest.name,
      toward: (url) => toward(url, ''),
      take(scope) {
        const rendered = written.render(scope);
        if (rendered.kind === 'value') return toward(urlOf(rendered.value));
        const why = rendered.kind === 'failed' ? rendered.why : 'the target is nothing';
        scope.warn('EXPRESSION_EVALUATION_ERROR', `${rest.name}: ${why}`);
        return undefined;
      },
    };
  const url = new URL(written.value);
  const one: HeldUpstream = upstreams.hold(api, optionsOf(url));
  held.push(one);
  const endpoint: Endpoint = {
    ...rest,
    url: url.href,
    target: createTarget(url),
    upstream: one.upstream,
    path: undefined,
    query: undefined,
  };
  return { ...share, name: rest.name, toward: (other) => toward(other, ''), take: () => endpoint };
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

/** Stands for the host that a request will name, so that stores and files are judged when the definition is loaded. */
const anyHost = new URL('https://host.invalid');

function describe(group: EndpointGroupDefinition, endpoint: EndpointDefinition, at: string) {
  const configuration = configurationOf(group, endpoint);
  const written = templateOf(endpoint.configuration.target, targetSchema);
  const place = { at, environment: process.env };
  const url = written.kind === 'constant' ? new URL(written.value) : anyHost;
  const { options, warnings } = upstreamOptions(url, configuration, place);
  return {
    name: endpoint.name,
    share: { weight: endpoint.weight, secondary: endpoint.secondary },
    written,
    warnings,
    optionsOf: (asked: URL) =>
      asked.href === url.href ? options : upstreamOptions(asked, configuration, place).options,
    headers: configuration.headers.map(({ name, value }) => ({
      name,
      value: templateOf(value, headerValueSchema),
    })),
    propagatesHost: configuration.http.propagateClientHost,
    propagatesEncodings:
      configuration.http.useCompression || configuration.http.propagateClientAcceptEncoding,
  };
}

function templateOf(text: string, value: z.ZodType<string, string>): Template<string> {
  const compiled = compileTemplate(text, value);
  invariant(compiled.kind !== 'refused', 'a definition was judged when it was read');
  return compiled;
}
