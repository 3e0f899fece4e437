import type { ConditionScope } from '../../proto/expression/condition.ts';
import type { JudgePieces, Template } from '../../proto/expression/template.ts';
import type { EndpointGroupDefinition } from '../../proto/model/api.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { Upstream } from '../http/exchange.ts';
import { createBalancer, type Weighted } from './balancing.ts';
import { type CalledUrl, calledUrlOf } from './called-url.ts';
import type { Described } from './described.ts';
import type { Discovery, DiscoveryBoard, HeldDiscovery } from './discovery/board.ts';
import type { FoundEndpoint } from './discovery/found.ts';
import type { CheckedApi, HealthBoard, HeldHealth } from './health/board.ts';
import { Origins } from './origins.ts';
import { Outlier, type OutlierHost } from './outliers.ts';
import { createTarget, type Target } from './target.ts';
import type { Upstreams } from './upstreams.ts';

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
  /** Whether its redirects are followed here, instead of by the client. */
  readonly followsRedirects: boolean;
  /** Whether the backend hears which encodings the client takes. */
  readonly propagatesEncodings: boolean;
}

/** Where endpoints come into service. */
export interface EndpointsGround {
  /** Unique on this gateway: environment and API. */
  readonly key: string;
  /** Undefined where nobody calls them: they are watched alone. */
  readonly upstreams: Upstreams | undefined;
  /** Who knows how those are that have a health check; undefined where nobody does: then all are up. */
  readonly health: HealthBoard | undefined;
  /** Who finds endpoints; undefined where nobody does: then there are those of definitions alone. */
  readonly discovery: DiscoveryBoard | undefined;
  readonly api: CheckedApi;
}

/** What of the gateway groups are made with. */
export interface GroupTools {
  readonly guard: Guard;
  /** Asked of targets that an expression writes. */
  readonly judgeTarget: JudgePieces;
  /** Undefined takes nothing out. */
  readonly outliers?: OutlierHost | undefined;
}

/** A group as it is known before there are pools. */
export interface DescribedGroup {
  readonly name: string;
  readonly balancing: EndpointGroupDefinition['loadBalancer']['type'];
  readonly endpoints: readonly Described[];
  /** How others are found; undefined where none are. */
  readonly discovery: Discovery | undefined;
  /** What is found as an endpoint of the group; undefined for one that this gateway does not call. */
  readonly describeFound: (found: FoundEndpoint) => Described | undefined;
}

/** The endpoints of one group, from the start of their API to its end. */
export class Group {
  readonly name: string;
  /** Those of the definition, then those that were found. */
  endpoints: readonly Started[] = [];
  /** Whose turn it is among those that get requests; made anew when that changes, so that a request asks nobody how they are. */
  next: () => Started | undefined = () => undefined;
  readonly #described: DescribedGroup;
  readonly #ground: EndpointsGround;
  readonly #tools: GroupTools;
  /** By what was said of them. */
  #found = new Map<string, Started>();
  readonly #discovery: HeldDiscovery | undefined;

  constructor(described: DescribedGroup, ground: EndpointsGround, tools: GroupTools) {
    this.name = described.name;
    this.#described = described;
    this.#ground = ground;
    this.#tools = tools;
    const { discovery, endpoints } = described;
    // First: it may be refused, and then nothing has begun.
    if (discovery !== undefined)
      this.#discovery = ground.discovery?.watch(ground.api, discovery, (found) => this.#take(found));
    this.endpoints = endpoints.map((one) => this.#start(one));
    this.#take(this.#discovery?.found ?? []);
  }

  release(): void {
    this.#discovery?.release();
    for (const endpoint of this.endpoints) endpoint.release();
  }

  /** Who is found as before goes on with his pools; who is not found any more gets no request, and answers those that he has. */
  #take(found: readonly FoundEndpoint[]): void {
    const before = this.#found;
    const own = this.endpoints.slice(0, this.#described.endpoints.length);
    this.#found = new Map();
    for (const one of found) {
      const key = JSON.stringify(one);
      const started = before.get(key) ?? this.#startFound(one);
      if (started !== undefined) this.#found.set(key, started);
    }
    this.endpoints = [...own, ...this.#found.values()];
    this.#balance();
    for (const [key, started] of before) if (!this.#found.has(key)) started.release();
  }

  #startFound(found: FoundEndpoint): Started | undefined {
    const described = this.#described.describeFound(found);
    return described === undefined ? undefined : this.#start(described);
  }

  #start(described: Described): Started {
    return new Started(described, {
      ground: this.#ground,
      tools: this.#tools,
      onChange: () => this.#balance(),
      isReplaceable: (one) => () => this.endpoints.some((other) => other !== one && other.isAvailable),
    });
  }

  /** The one that was taken out by its requests alone is better than none. */
  #balance(): void {
    const available = this.endpoints.filter(({ isAvailable }) => isAvailable);
    const chosen = available.length > 0 ? available : this.endpoints.filter(({ isUp }) => isUp);
    this.next = createBalancer(this.#described.balancing, chosen);
  }
}

interface StartedTools {
  readonly ground: EndpointsGround;
  readonly tools: GroupTools;
  readonly onChange: () => void;
  readonly isReplaceable: (one: Started) => () => boolean;
}

/** An endpoint whose pools are there. */
export class Started implements Weighted {
  readonly name: string;
  readonly weight: number;
  readonly secondary: boolean;
  /** Errors: none; undefined when it cannot be called. */
  readonly take: (scope: ConditionScope) => Endpoint | undefined;
  readonly #described: Described;
  readonly #ground: EndpointsGround;
  readonly #guard: Guard;
  readonly #health: HeldHealth | undefined;
  readonly #outlier: Outlier | undefined;
  readonly #held: { release(): void }[] = [];
  #origins: Origins | undefined = undefined;
  #isReleased = false;

  constructor(described: Described, { ground, tools, onChange, isReplaceable }: StartedTools) {
    const { guard, outliers } = tools;
    this.#described = described;
    this.#ground = ground;
    this.#guard = guard;
    this.name = described.name;
    this.weight = described.share.weight;
    this.secondary = described.share.secondary;
    const { check } = described;
    this.#health = check === undefined ? undefined : ground.health?.watch(ground.api, check, onChange);
    this.#outlier =
      outliers === undefined || outliers.settings.consecutive5xx === 0
        ? undefined
        : new Outlier(outliers, {
            api: ground.api.id,
            endpoint: described.name,
            onChange,
            isReplaceable: isReplaceable(this),
          });
    this.take = this.#maker(ground.upstreams);
  }

  /** As its health check says. */
  get isUp(): boolean {
    return this.#health?.isUp !== false;
  }

  /** Gets requests. */
  get isAvailable(): boolean {
    return this.isUp && this.#outlier?.isEjected !== true;
  }

  /** The same backend's way to any URL, whose path stands in place of the request's. */
  toward(called: CalledUrl): Endpoint | undefined {
    return this.#toward(called, '');
  }

  #toward(called: CalledUrl, path: string | undefined): Endpoint | undefined {
    const { optionsOf } = this.#described;
    const { key: api, upstreams } = this.#ground;
    if (upstreams === undefined) return undefined;
    if (this.#origins === undefined) {
      this.#origins = new Origins({ api, upstreams, guard: this.#guard, optionsOf });
      if (this.#isReleased) this.#origins.release();
      else this.#held.push(this.#origins);
    }
    const upstream = this.#origins.toward(called);
    return upstream && this.#endpoint(called, upstream, path);
  }

  release(): void {
    this.#isReleased = true;
    this.#health?.release();
    this.#outlier?.release();
    for (const one of this.#held.splice(0)) one.release();
  }

  #maker(upstreams: Upstreams | undefined): Started['take'] {
    const { written, optionsOf, name } = this.#described;
    if (upstreams === undefined) return () => undefined;
    const outlier = this.#outlier;
    if (written.kind === 'constant') {
      const called = calledUrlOf(written.value);
      const one = upstreams.hold(this.#ground.key, optionsOf(called));
      this.#held.push(one);
      const endpoint = this.#endpoint(
        called,
        outlier === undefined ? one.upstream : outlier.follow(one.upstream),
      );
      return () => endpoint;
    }
    return (scope) => {
      const rendered = written.render(scope);
      if (rendered.kind !== 'value') {
        const why = rendered.kind === 'failed' ? rendered.why : 'the target is nothing';
        scope.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${why}`);
        return undefined;
      }
      const endpoint = this.#toward(calledUrlOf(rendered.value), undefined);
      return endpoint === undefined || outlier === undefined
        ? endpoint
        : { ...endpoint, upstream: outlier.follow(endpoint.upstream) };
    };
  }

  #endpoint({ url, text }: CalledUrl, upstream: Upstream, path?: string): Endpoint {
    const { name, headers, propagatesHost, followsRedirects, propagatesEncodings } = this.#described;
    const target = createTarget(url);
    return {
      name,
      url: text,
      upstream,
      target,
      path,
      query: undefined,
      headers,
      propagatesHost,
      followsRedirects,
      propagatesEncodings,
    };
  }
}
