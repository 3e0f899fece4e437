import type { ExchangeRequest } from '../../http/exchange.ts';
import type { PolicyRequest } from '../../policies/policy.ts';
import type { CompiledPlan } from '../compile/compile.ts';
import type { Steps } from '../compile/pipeline.ts';
import type { DeployedApi } from '../deploy/deployed.ts';
import type { Attributes } from '../../policies/policy.ts';
import { Later } from '../../security/security.ts';
import type { Subscription } from '../../security/subscriptions.ts';

/** What attributes are made of. */
interface CallFacts {
  readonly exchange: { readonly request: ExchangeRequest };
  readonly steps: Steps | undefined;
  readonly mappedPath: string | undefined;
  readonly request: PolicyRequest;
  readonly plan: CompiledPlan | undefined;
  readonly subscription: Subscription | undefined;
  readonly proof: unknown;
  readonly deployed: DeployedApi;
}

/** What is known of every request, under the reference's names. */
const facts: ReadonlyMap<string, (of: CallFacts) => unknown> = new Map<string, (of: CallFacts) => unknown>([
  ['organization', ({ deployed }) => deployed.organization],
  ['environment', ({ deployed }) => deployed.environment],
  ['api', ({ deployed }) => deployed.id],
  ['api.name', ({ deployed }) => deployed.name],
  ['context-path', ({ request }) => `${request.contextPath}/`],
  ['resolved-path', ({ steps }) => steps?.path],
  ['mapped-path', ({ mappedPath }) => mappedPath],
  ['request.method', ({ exchange }) => exchange.request.method],
  ['request.original-url', ({ exchange }) => originalUrl(exchange.request)],
  ['plan', ({ plan }) => plan?.id],
  ['application', ({ subscription }) => subscription?.application ?? '1'],
  ['subscription-id', ({ subscription }) => subscription?.id],
  ['user-id', ({ subscription, request }) => subscription?.id ?? request.remoteAddress],
]);

function originalUrl({ scheme, authority, path, query }: ExchangeRequest): string {
  const url = `${scheme}://${authority}${path}`;
  return query === undefined ? url : `${url}?${query}`;
}

/**
 * The attributes that policies find on a request.
 *
 * What the gateway knows is read when somebody asks for it: most requests are asked for one or two of twenty.
 */
export class CallAttributes implements Attributes {
  readonly #of: CallFacts;
  /** What steps have set; everything, once somebody has asked for all of them or has taken one away. */
  #set: Map<string, unknown> | undefined;
  #isWhole = false;
  /** What the credential says; read when a name is asked for that nothing else has. */
  #ofCredential: ReadonlyMap<string, unknown> | undefined = undefined;

  /** set: in force beside what is known, e.g. what a credential says before its plan is chosen. */
  constructor(of: CallFacts, set?: Iterable<readonly [name: string, value: unknown]>) {
    this.#of = of;
    this.#set = set === undefined ? undefined : new Map(set);
  }

  get(name: string): unknown {
    const value = this.#set?.get(name);
    if (value !== undefined || this.#isWhole || this.#set?.has(name) === true) return now(value);
    const fact = facts.get(name);
    return fact === undefined ? now(this.#credential().get(name)) : fact(this.#of);
  }

  has(name: string): boolean {
    if (this.#set?.has(name) === true) return true;
    return !this.#isWhole && (facts.has(name) || this.#credential().has(name));
  }

  /** What was set under a name, of which nothing else is known. */
  whatWasSet(name: string): unknown {
    return this.#set?.get(name);
  }

  set(name: string, value: unknown): void {
    (this.#set ??= new Map()).set(name, value);
  }

  delete(name: string): void {
    this.#whole().delete(name);
  }

  keys(): Iterable<string> {
    return this.#whole().keys();
  }

  *[Symbol.iterator](): Iterator<[name: string, value: unknown]> {
    for (const [name, value] of this.#whole()) yield [name, now(value)];
  }

  /** These, and others for which nobody has set anything; for as long as something is asked with them. */
  with(added: Iterable<readonly [name: string, value: unknown]>): CallAttributes {
    const copy = new CallAttributes(this.#of, [...(this.#set ?? []), ...added]);
    copy.#isWhole = this.#isWhole;
    return copy;
  }

  /** The caller is known: whatever was set before says so from now on. */
  nameCaller(): void {
    this.#ofCredential = undefined;
    if (this.#isWhole) for (const name of ofCaller) this.set(name, facts.get(name)?.(this.#of));
    else for (const name of ofCaller) this.#set?.delete(name);
    for (const [name, value] of this.#credential())
      if (this.#isWhole) this.set(name, value);
      else this.#set?.delete(name);
  }

  #credential(): ReadonlyMap<string, unknown> {
    const { plan, proof } = this.#of;
    return (this.#ofCredential ??= new Map(plan?.security.attributes?.(proof)));
  }

  #whole(): Map<string, unknown> {
    const set = this.#set;
    if (this.#isWhole && set !== undefined) return set;
    const all = new Map<string, unknown>();
    for (const [name, fact] of facts) all.set(name, fact(this.#of));
    for (const [name, value] of this.#credential()) all.set(name, value);
    for (const [name, value] of set ?? []) all.set(name, value);
    this.#set = all;
    this.#isWhole = true;
    return all;
  }
}

/** What was put off until somebody asks. */
const now = (value: unknown): unknown => (value instanceof Later ? value.read() : value);

/** Names of those that say who calls, and what runs for him. */
const ofCaller = ['resolved-path', 'plan', 'application', 'subscription-id', 'user-id'];
