import assert from 'node:assert/strict';

import { engineOf } from '../../../data-plane/gateway/compile/engine.ts';
import { GroupsInUse } from '../../../data-plane/gateway/compile/shared-groups.ts';
import { createWireHeaders } from '../../../data-plane/http/message/wire-headers.ts';
import {
  type Body,
  bodyOf,
  createBody,
  type HeaderList,
  type Outcome,
  type ResponseHead,
} from '../../../data-plane/http/exchange.ts';
import { type BrokenStep, type KeepingCall, KeptSteps } from '../../../data-plane/gateway/steps/kept.ts';
import { PhaseBody } from '../../../data-plane/gateway/steps/phase-body.ts';
import {
  type Phase,
  type RunningCall,
  runSteps,
  type StepsResult,
} from '../../../data-plane/gateway/steps/run-steps.ts';
import {
  configurationOf,
  makePolicy,
  type PolicyBuilder,
  type Step,
  StepCompiler,
} from '../../../data-plane/gateway/compile/step.ts';
import { servedBy } from '../../../data-plane/resources/index.ts';
import { gatewayConfigSchema } from '../../../data-plane/config.ts';
import { createNames } from '../../../data-plane/names.ts';
import { noCallouts } from '../../../data-plane/callouts.ts';
import { noScripts } from '../../../data-plane/script/script.ts';
import { createMemoryCounters } from '../../../data-plane/limits/memory.ts';
import { judgeOfTargets } from '../../../proto/model/api.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { StepPolicyId } from '../../../data-plane/policies/index.ts';
import type {
  BackendAnswer,
  PassingBody,
  Policy,
  PolicyConnection,
  PolicyGround,
  PolicyHost,
  PolicyNames,
  PolicyPlace,
  PolicyRequest,
  PolicyResponse,
  Rejection,
} from '../../../data-plane/policies/policy.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { kitSurroundings } from './expression-scope.ts';

/** Where a policy under test stands and what it may use; what is left out is as in an ordinary API. */
export interface PolicyWish<Id extends StepPolicyId = StepPolicyId> {
  readonly place?: Partial<PolicyPlace>;
  readonly host?: Partial<PolicyHost>;
  /** Changes the parsed configuration, as for a template that varies. */
  readonly adjust?: (config: PolicyConfig<Id>) => PolicyConfig<Id>;
}

/** A body in hand, or pieces that come one after another; an Error among them is where its sender breaks off. */
export type KitBody = string | readonly (string | Error)[];

/** A request as a test writes it down. */
export interface CallWish {
  readonly request?: Partial<Omit<PolicyRequest, 'headers' | 'content'>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: KitBody;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly connection?: Partial<PolicyConnection>;
}

/** An answer as a test writes it down. */
interface AnswerWish {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: KitBody;
}

const kitConnection: PolicyConnection = {
  httpVersion: '1.1',
  localAddress: '192.0.2.1',
  remoteAddress: '192.0.2.7',
  remotePort: 50_007,
  clientCertificate: undefined,
};

/** What policies are told of a gateway with the settings of an empty file. */
export const kitGround: PolicyGround = {
  names: { addressesOf: () => undefined },
  isTrustedPeer: () => false,
  rolesAttribute: 'user.roles',
  jwsKeys: new Map(),
  geoPlaces: undefined,
  mayBeChosen: () => false,
};

/** Names as a gateway knows them that asks this DNS server. */
export function namesBy(server: string): PolicyNames {
  const { policy } = gatewayConfigSchema.parse({ policy: { dns: { servers: [server] } } });
  return createNames(policy.dns, createFakeClock());
}

/** A policy at work: no socket, no gateway, time stands still. */
export interface StartedPolicy {
  readonly policy: Policy;
  readonly clock: FakeClock;
  /** A request that comes to it. */
  call(wish?: CallWish): KitCall;
}

/** Builds a policy of the catalogue as the gateway does, out of what a definition would say, and starts it. */
export function startPolicy<Id extends StepPolicyId>(
  id: Id,
  configuration: object,
  wish: PolicyWish<Id> = {},
): StartedPolicy {
  const { adjust = (config: PolicyConfig<Id>): PolicyConfig<Id> => config } = wish;
  return start(wish, {
    policy: id,
    configuration: { ...configuration },
    build: ({ configuration: written }, host, place) =>
      makePolicy(id, adjust(configurationOf(id, written)), { host, place }),
  });
}

/** Starts a policy that the test writes itself: for what the contract promises before a policy of the catalogue uses it. */
export function startOwnPolicy(
  make: (host: PolicyHost, place: PolicyPlace) => Policy,
  wish: Omit<PolicyWish, 'adjust'> = {},
): StartedPolicy {
  return start(wish, {
    policy: 'of-the-test',
    configuration: {},
    build: (_step, host, place) => make(host, place),
  });
}

function start(
  wish: Omit<PolicyWish, 'adjust'>,
  made: {
    readonly policy: string;
    readonly configuration: Record<string, unknown>;
    readonly build: PolicyBuilder;
  },
): StartedPolicy {
  const place: PolicyPlace = {
    api: 'a',
    plan: 'p',
    flowPath: '/',
    phase: 'request',
    at: 'flows[0].request[0]',
    ...wish.place,
  };
  const clock = createFakeClock();
  const host: PolicyHost = {
    api: { id: place.api, name: place.api },
    clock,
    counters: createMemoryCounters({ windowsMax: 100, clock }).within('e'),
    quotaMode: 'strict',
    leavesBrokenHeaders: false,
    removesHeadersFirst: false,
    ground: kitGround,
    outbound: noCallouts,
    scripts: noScripts,
    properties: new Map(),
    judgeTarget: judgeOfTargets(() => false),
    targets: new Map(),
    resource: servedBy(new Map()),
    ...wish.host,
  };
  const definition = {
    name: made.policy,
    description: '',
    enabled: true,
    policy: made.policy,
    configuration: made.configuration,
    condition: '',
    messageCondition: '',
  };
  const groups = new GroupsInUse(new Map());
  const compiler = new StepCompiler({ host, build: made.build, engine: engineOf({}), groups });
  const [step] = compiler.compile(definition, place);
  assert.ok(step !== undefined, 'a step that runs');
  step.policy.start?.();
  return { policy: step.policy, clock, call: (asked) => new KitCall(step, clock, asked) };
}

/** One request on its way through one policy; each method is a hook, run by the gateway's own code. */
export class KitCall implements RunningCall, KeepingCall {
  readonly exchange: KeepingCall['exchange'] = { beforeEnd: undefined };
  readonly kept = new KeptSteps(this);
  readonly request: PolicyRequest;
  readonly attributes: Map<string, unknown>;
  readonly startedAtMs: number;
  response: PolicyResponse | undefined = undefined;
  isOver = false;
  step: Step | undefined = undefined;
  readonly connection: RunningCall['connection'];
  readonly pathParams: RunningCall['pathParams'] = new Map();
  readonly subscription: RunningCall['subscription'] = undefined;
  readonly otherPathInfos = [];
  readonly surroundings = kitSurroundings;
  decided: RunningCall['decided'] = undefined;
  unmasked: RunningCall['unmasked'] = undefined;
  work: RunningCall['work'] = undefined;
  /** What it set on the answer, whatever that will be. */
  readonly answerHeaders: Record<string, string> = {};
  /** What it measured. */
  customMetrics: Map<string, string> | undefined = undefined;
  /** Keys of its warnings. */
  readonly warnings: string[] = [];
  /** What was refused of a body that was on its way. */
  readonly refusedLate: Rejection[] = [];
  /** Steps that threw where nothing waits for them. */
  readonly broken: BrokenStep[] = [];
  readonly #step: Step;
  readonly #bodies: Record<Phase, PhaseBody | undefined> = { request: undefined, response: undefined };

  constructor(step: Step, clock: FakeClock, wish: CallWish = {}) {
    this.#step = step;
    this.startedAtMs = clock.now();
    this.attributes = new Map(Object.entries(wish.attributes ?? {}));
    this.connection = { ...kitConnection, ...wish.connection };
    this.request = {
      id: 'request',
      transactionId: 'transaction',
      method: 'GET',
      path: '/a/items',
      pathInfo: '/items',
      query: undefined,
      host: 'h',
      scheme: 'http',
      remoteAddress: '192.0.2.7',
      contextPath: '/a',
      ...wish.request,
      headers: headersOf(wish.headers),
      hasBody: wish.request?.hasBody ?? (wish.body ?? '').length > 0,
      content: undefined,
    };
    this.#bodies.request = new PhaseBody(this.request, bodyOfKit(wish.body), false);
  }

  withPathInfo<Answer>(_pathInfo: string, ask: () => Answer): Answer {
    return ask();
  }

  /** The request passes. */
  pass(): StepsResult | Promise<StepsResult> {
    return runSteps([this.#step], 'request', this);
  }

  /** The backend is called around which it stands. */
  async ask(backend: () => Promise<BackendAnswer>): Promise<BackendAnswer> {
    const { keptAt, policy } = this.#step;
    if (policy.around === undefined) return backend();
    const slot = keptAt === undefined ? undefined : this.kept.enter(this.#step, keptAt);
    try {
      return await policy.around.run(this, backend, slot);
    } finally {
      if (keptAt !== undefined) this.kept.left(keptAt);
    }
  }

  /** The backend is called and answers, around which the policy stands; that passes on its way back. */
  async answerThrough(wish: AnswerWish): Promise<StepsResult> {
    const made = bodyOfKit(wish.body);
    const body = typeof made === 'string' ? bodyOf(Buffer.from(made)) : made;
    const answered = await this.ask(() => Promise.resolve({ kind: 'response', head: headOf(wish), body }));
    return answered.kind === 'response' ? this.#return(answered) : undefined;
  }

  /** An answer passes on its way back. */
  answer(wish: AnswerWish): StepsResult | Promise<StepsResult> {
    return this.#return({ head: headOf(wish), body: bodyOfKit(wish.body) });
  }

  #return({ head, body }: { readonly head: ResponseHead; readonly body: Body | string }) {
    this.response = { reason: undefined, ...head, content: undefined };
    this.#bodies.response = new PhaseBody(this.response, body, true);
    return runSteps([this.#step], 'response', this);
  }

  /** The exchange is over. */
  end(outcome: Partial<Outcome> = {}): void {
    this.isOver = true;
    void this.exchange.beforeEnd?.onEnd({
      kind: 'complete',
      status: 200,
      requestBytes: 0,
      responseBytes: 0,
      totalUs: 1,
      ...outcome,
    });
  }

  get over(): AbortSignal {
    return this.kept.over;
  }

  /** True once a hook had the body read. */
  get isRead(): boolean {
    return this.request.content !== undefined;
  }

  /** What goes on of a phase's body, as the policy left it; rejects where it breaks off. */
  async sent(phase: Phase): Promise<string> {
    const place = phase === 'request' ? this.request : this.response;
    const transformed = this.#bodies[phase]?.transformed;
    if (place?.content === undefined && transformed !== undefined)
      return Buffer.from(await transformed.buffer(Infinity)).toString();
    await this.readContent(phase);
    return Buffer.from(place?.content ?? []).toString();
  }

  readContent(phase: Phase): Promise<void> | undefined {
    return this.#bodies[phase]?.read(Infinity);
  }

  passing(phase: Phase, at: string): PassingBody {
    const body = this.#bodies[phase] ?? new PhaseBody(this.request, '', false);
    return body.passing({
      onThrown: (error) => this.broken.push({ kind: 'broken', at, error }),
      onRefused: (refusal) => this.refusedLate.push(refusal),
      onTaken: () => undefined,
    });
  }

  warn(key: string): void {
    this.warnings.push(key);
  }

  setAnswerHeader(name: string, value: string): void {
    this.answerHeaders[name] = value;
  }

  tellBroken(broken: BrokenStep): void {
    this.broken.push(broken);
  }
}

const headOf = ({ status = 200, headers }: AnswerWish): ResponseHead => ({
  status,
  headers: headersOf(headers),
});

function bodyOfKit(wish: KitBody = ''): Body | string {
  if (typeof wish === 'string') return wish;
  return createBody({
    length: undefined,
    start(sink) {
      let isOver = false;
      const give = async (): Promise<void> => {
        for (const piece of wish) {
          await Promise.resolve();
          if (isOver) return;
          if (piece instanceof Error) return sink.onBroken(piece);
          sink.onPiece(Buffer.from(piece), 0, Buffer.byteLength(piece), true);
          sink.onReadEnd();
        }
        sink.onEnd(undefined);
      };
      void give();
      return { resume: () => undefined, cancel: () => void (isOver = true) };
    },
  });
}

/** A list of headers, as an engine makes them. */
export function headersOf(wish: Readonly<Record<string, string>> = {}): HeaderList {
  const headers = createWireHeaders();
  for (const [name, value] of Object.entries(wish)) headers.append(name, value);
  return headers;
}
