import { EvaluationFailure } from '../../../proto/expression/failure.ts';
import { CalledAnswer, type ExpressionScope, withVariables } from '../../../proto/expression/scope.ts';
import { needsOf } from '../../../proto/expression/template.ts';
import { settled, toText } from '../../../proto/expression/values.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { renderedHeaders, scopeHeadersOf } from '../called-headers.ts';
import {
  CONTINUE,
  type PolicyCall,
  type PolicyFactory,
  type PolicyTools,
  type Rejection,
  type Verdict,
} from '../policy.ts';
import { Places } from './places.ts';

const callMsMax = 10_000;
const waitersMax = 1_000;

type Config = PolicyConfig<'policy-http-callout'>;
type Tools = PolicyTools<'policy-http-callout'>;

/** Asks another server; what it says stands in attributes afterwards. */
export const httpCallout: PolicyFactory<'policy-http-callout'> = (config, tools) => {
  const callout = new Callout(config, tools);
  const { url, headers, body, variables, errorContent, errorCondition, fireAndForget } = config;
  const inCall = [url, body, ...headers.map(({ value }) => value)];
  const inAnswer = [errorContent, ...variables.map(({ value }) => value)];
  const needs =
    needsOf(fireAndForget ? inCall : [...inCall, ...inAnswer]) === 'buffered' ||
    errorCondition?.needs === 'buffered'
      ? 'buffered'
      : 'head';
  const hook = { needs, run: (call: PolicyCall) => callout.run(call) } as const;
  return tools.place.phase === 'request' ? { request: hook } : { response: hook };
};

/** A request as it goes out. */
interface Asked {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

class Callout {
  readonly #config: Config;
  readonly #tools: Tools;
  readonly #places: Places;

  constructor(config: Config, tools: Tools) {
    this.#config = config;
    this.#tools = tools;
    this.#places = new Places({
      placesMax: config.http.maxConcurrentConnections,
      waitersMax,
      waitMsMax: callMsMax,
      clock: tools.host.clock,
    });
  }

  run(call: PolicyCall): Verdict | Promise<Verdict> {
    const asked = this.#asked(call);
    if (!this.#config.fireAndForget) return this.#wait(call, asked);
    void this.#send(asked, undefined).then((answer) => {
      const step = { kind: 'policy-http-callout', at: this.#tools.place.at };
      if (typeof answer === 'string') call.warn('CALLOUT_HTTP_ERROR', answer, { step });
    });
    return CONTINUE;
  }

  async #wait(call: PolicyCall, asked: Asked | string): Promise<Verdict> {
    const { exitOnError, errorCondition } = this.#config;
    const answer = await this.#send(asked, call);
    if (answer === undefined) return this.#tools.refuse('CALLOUT_HTTP_ERROR');
    if (typeof answer === 'string') {
      call.warn('CALLOUT_HTTP_ERROR', answer);
      return exitOnError ? this.#exit('CALLOUT_HTTP_ERROR', call) : this.#tools.refuse('CALLOUT_HTTP_ERROR');
    }
    const scope = withVariables(call, new Map([...(call.variables ?? []), ['calloutResponse', answer]]));
    const judged = exitOnError && errorCondition !== undefined ? errorCondition.judge(scope) : false;
    if (typeof judged === 'object') call.warn('EXPRESSION_EVALUATION_ERROR', `errorCondition: ${judged.why}`);
    // What cannot be judged is not let in.
    if (judged === true || typeof judged === 'object') return this.#exit('CALLOUT_EXIT_ON_ERROR', scope);
    this.#keep(call, scope);
    return CONTINUE;
  }

  /** What is sent, or why nothing is. */
  #asked(call: PolicyCall): Asked | string {
    const { url, headers, body } = this.#config;
    const where = url.render(call, this.#tools.host.judgeTarget);
    if (where.kind !== 'value') return `url: ${where.kind === 'failed' ? where.why : 'it comes to nothing'}`;
    const said = body.render(call);
    return {
      url: where.value,
      headers: renderedHeaders(headers, call),
      body: said.kind === 'value' ? said.value : '',
    };
  }

  /** The answer, or why there is none; undefined where it was not asked for, since the call for which it waits is over. */
  async #send(
    asked: Asked | string,
    call: PolicyCall | undefined,
  ): Promise<CalledAnswer | string | undefined> {
    if (typeof asked === 'string') return asked;
    const entered = await this.#places.enter(call);
    if (entered === 'gone') return undefined;
    if (entered !== 'in') return `${this.#config.http.maxConcurrentConnections} calls run already`;
    const { url, headers, body } = asked;
    try {
      const answer = await this.#tools.host.outbound.request(url, {
        method: this.#config.method,
        headers,
        ...(body === '' ? {} : { body }),
        timeoutMs: callMsMax,
      });
      return new CalledAnswer(answer.status, scopeHeadersOf(answer.headers), await answer.bytes());
    } catch (error) {
      return error instanceof Fault ? error.detail : 'the call failed';
    } finally {
      this.#places.leave();
    }
  }

  #keep(call: PolicyCall, scope: ExpressionScope): void {
    for (const { name, value, evaluateAsString } of this.#config.variables) {
      call.attributes.delete(name);
      const evaluated = value.evaluate(scope);
      if (evaluated.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${evaluated.why}`);
      if (evaluated.kind !== 'value') continue;
      try {
        call.attributes.set(name, evaluateAsString ? toText(evaluated.value) : settled(evaluated.value));
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error;
        call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${error.message}`);
      }
    }
  }

  #exit(key: 'CALLOUT_EXIT_ON_ERROR' | 'CALLOUT_HTTP_ERROR', scope: ExpressionScope): Rejection {
    const refusal = this.#tools.refuse(key);
    const content = this.#config.errorContent.render(scope);
    return {
      ...refusal,
      status: this.#config.errorStatusCode,
      message: content.kind === 'value' && content.value !== '' ? content.value : refusal.message,
    };
  }
}
