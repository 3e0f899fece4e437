import { needsOf } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { BackendAnswer, PolicyCall, PolicyFactory } from '../policy.ts';
import { CallWindow } from './call-window.ts';

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

/** Closed, open until a time, or trying one request. */
class Circuit {
  readonly #config: PolicyConfig<'policy-circuit-breaker'>;
  readonly #clock: Clock;
  readonly #window: CallWindow;
  #opensUntilMs: number | undefined = undefined;
  #isTrying = false;
  /** Which time it is closed; a call of an earlier one tells nothing any more. */
  #era = 0;
  /** The shares for which it opened last. */
  opened = { failureRate: 0, slowCallRate: 0 };

  constructor(config: PolicyConfig<'policy-circuit-breaker'>, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#window = new CallWindow(config.windowSize);
  }

  /** Undefined while nobody may call; else what is to be told of how it went. */
  enter(): Tell | undefined {
    const startMs = this.#clock.monotonicMs();
    if (this.#opensUntilMs === undefined) {
      const era = this.#era;
      return (answer) => {
        if (era === this.#era) this.#hear(answer, startMs);
      };
    }
    if (this.#isTrying || startMs < this.#opensUntilMs) return undefined;
    this.#isTrying = true;
    return (answer) => {
      this.#isTrying = false;
      if (isOfClient(answer)) return;
      this.#opensUntilMs = undefined;
      this.#window.clear();
      this.#hear(answer, startMs);
    };
  }

  #hear(answer: BackendAnswer | undefined, startMs: number): void {
    if (isOfClient(answer)) return;
    const { failureRateThreshold, slowCallRateThreshold, slowCallDurationThreshold } = this.#config;
    const nowMs = this.#clock.monotonicMs();
    this.#window.add({ hasFailed: hasFailed(answer), wasSlow: nowMs - startMs > slowCallDurationThreshold });
    const { failureRate, slowCallRate } = this.#window;
    if (failureRate < failureRateThreshold && slowCallRate < slowCallRateThreshold) return;
    this.opened = { failureRate, slowCallRate };
    this.#opensUntilMs = nowMs + this.#config.waitDurationInOpenState;
    this.#era += 1;
  }
}

/** Whether the client went, and nothing is known of the backend. */
const isOfClient = (answer: BackendAnswer | undefined): boolean =>
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
