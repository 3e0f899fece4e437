import { needsOf } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { BackendAnswer, PolicyCall, PolicyFactory } from '../policy.ts';
import { type CallOutcome, CallWindow } from './call-window.ts';

/** Spares a backend that fails: while its circuit is open, requests are refused or go elsewhere. */
export const circuitBreaker: PolicyFactory<'policy-circuit-breaker'> = (
  config,
  { refuse, host: { clock, judgeTarget } },
) => {
  const { redirectToURL } = config;
  const circuit = new Circuit(config, clock);
  const whileOpen = (call: PolicyCall, next: () => Promise<BackendAnswer>): Promise<BackendAnswer> => {
    const elsewhere = redirectToURL.render(call, judgeTarget);
    if (elsewhere.kind === 'value' && elsewhere.value !== '') {
      call.attributes.set('request.endpoint', elsewhere.value);
      return next();
    }
    if (elsewhere.kind === 'failed')
      call.warn('EXPRESSION_EVALUATION_ERROR', `redirectToURL: ${elsewhere.why}`);
    const { failureRate, slowCallRate } = circuit.opened;
    const parameters = { failure_rate: Math.round(failureRate), slow_call_rate: Math.round(slowCallRate) };
    return Promise.resolve(refuse('CIRCUIT_BREAKER_OPEN_STATE', { parameters }));
  };
  return {
    around: {
      needs: needsOf([redirectToURL]),
      async run(call, next) {
        const told = circuit.enter();
        if (told === undefined) return whileOpen(call, next);
        let answer: BackendAnswer | undefined;
        try {
          return (answer = await next());
        } finally {
          told(answer);
        }
      },
    },
  };
};

type Tell = (answer: BackendAnswer | undefined) => void;

/** What a circuit is in; another takes its place with each change, and whoever was admitted in one tells the others nothing. */
type State =
  | { readonly kind: 'closed'; readonly window: CallWindow }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'trying'; readonly untilMs: number; readonly window: CallWindow; places: number };

/** Closed, open until a time, or trying some requests. */
class Circuit {
  readonly #config: PolicyConfig<'policy-circuit-breaker'>;
  readonly #clock: Clock;
  #state: State;
  /** The shares for which it opened last. */
  opened = { failureRate: 0, slowCallRate: 0 };

  constructor(config: PolicyConfig<'policy-circuit-breaker'>, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#state = this.#closed();
  }

  /** Undefined while nobody may call; else what is to be told of how it went. */
  enter(): Tell | undefined {
    const startMs = this.#clock.monotonicMs();
    const state = this.#stateAt(startMs);
    if (state.kind === 'open') return undefined;
    if (state.kind === 'trying') {
      if (state.places === 0) return undefined;
      state.places -= 1;
    }
    return (answer) => {
      const nowMs = this.#clock.monotonicMs();
      if (this.#stateAt(nowMs) !== state) return;
      const outcome = this.#outcomeOf(answer, nowMs - startMs);
      if (outcome !== undefined) this.#hear(outcome, state, nowMs);
      else if (state.kind === 'trying') state.places += 1;
    };
  }

  /** What it is in by now: waiting ends by the clock. */
  #stateAt(nowMs: number): State {
    let state = this.#state;
    if (state.kind === 'trying' && nowMs >= state.untilMs)
      state = { kind: 'open', untilMs: state.untilMs + this.#config.waitDurationInOpenState };
    if (state.kind === 'open' && nowMs >= state.untilMs) {
      const { permittedNumberOfCallsInHalfOpenState: places, maxWaitDurationInHalfOpenState: waitMs } =
        this.#config;
      const untilMs = waitMs === 0 ? Infinity : nowMs + waitMs;
      state = { kind: 'trying', untilMs, window: new CallWindow(places), places };
    }
    return (this.#state = state);
  }

  #hear(outcome: CallOutcome, { kind, window }: Exclude<State, { kind: 'open' }>, nowMs: number): void {
    const { failureRateThreshold, slowCallRateThreshold, minimumNumberOfCalls } = this.#config;
    window.add(outcome);
    if (window.count < Math.min(minimumNumberOfCalls, window.size)) return;
    const { failureRate, slowCallRate } = window;
    if (failureRate >= failureRateThreshold || slowCallRate >= slowCallRateThreshold) {
      this.opened = { failureRate, slowCallRate };
      this.#state = { kind: 'open', untilMs: nowMs + this.#config.waitDurationInOpenState };
    } else if (kind === 'trying') this.#state = this.#closed();
  }

  #closed(): State {
    return { kind: 'closed', window: new CallWindow(this.#config.windowSize) };
  }

  /** Undefined where the call says nothing of the backend. */
  #outcomeOf(answer: BackendAnswer | undefined, tookMs: number): CallOutcome | undefined {
    const { slowCallDurationThreshold, recordInterruptedCallsAsFailures } = this.#config;
    const wasSlow = tookMs > slowCallDurationThreshold;
    if (isInterrupted(answer) && !(recordInterruptedCallsAsFailures && wasSlow)) return undefined;
    return { hasFailed: hasFailed(answer), wasSlow };
  }
}

/** Whether the client went, or the gateway waited no longer for the answer. */
const isInterrupted = (answer: BackendAnswer | undefined): boolean =>
  answer?.kind === 'failure' && (answer.failure === 'aborted' || answer.failure === 'requestBodyFailed');

/** A step behind it that threw counts as a failure. */
function hasFailed(answer: BackendAnswer | undefined): boolean {
  switch (answer?.kind) {
    case 'response':
      return answer.head.status >= 500;
    case 'answer':
    case 'reject':
      return answer.status >= 500;
    case 'upgrade':
      return false;
    case 'failure':
    case undefined:
      return true;
  }
}
