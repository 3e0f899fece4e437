import { withVariables } from '../../../proto/expression/scope.ts';
import { needsOf, type Template } from '../../../proto/expression/template.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { renderedHeaders } from '../called-headers.ts';
import type { PolicyCall, PolicyHost } from '../policy.ts';
import { Places } from '../traffic/places.ts';

/** A service as a definition names it. */
interface ModelService {
  readonly url: Template<string>;
  readonly headers: readonly { readonly name: string; readonly value: Template<string> }[];
  readonly body: Template<string>;
  readonly timeoutMs: number;
  readonly maxConcurrentConnections: number;
}

/** What a service said, as JSON, or why it said nothing; that has nothing of the prompt in it. `gone`: the request was over before it was asked. */
export type ModelSaid =
  | { readonly kind: 'said'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'gone' };

const waitersMax = 1_000;

/** Asks a service about prompts, so many times at once. */
export class ModelCall {
  readonly #service: ModelService;
  readonly #host: PolicyHost;
  readonly #places: Places;

  constructor(service: ModelService, host: PolicyHost) {
    this.#service = service;
    this.#host = host;
    this.#places = new Places({
      placesMax: service.maxConcurrentConnections,
      waitersMax,
      waitMsMax: service.timeoutMs,
      clock: host.clock,
    });
  }

  /** What its hook needs of the body. */
  get needs(): 'head' | 'buffered' {
    const { url, headers, body } = this.#service;
    return needsOf([url, body, ...headers.map(({ value }) => value)]);
  }

  /** Never rejects. */
  async ask(call: PolicyCall, prompt: string): Promise<ModelSaid> {
    const { url, headers, body, timeoutMs, maxConcurrentConnections } = this.#service;
    const scope = withVariables(call, new Map([...(call.variables ?? []), ['prompt', prompt]]));
    const where = url.render(scope, this.#host.judgeTarget);
    if (where.kind !== 'value') return failed(`its url ${whyNot(where)}`);
    const said = body.render(scope);
    if (said.kind !== 'value') return failed(`its body ${whyNot(said)}`);
    const entered = await this.#places.enter(call);
    if (entered === 'gone') return { kind: 'gone' };
    if (entered !== 'in') return failed(`${maxConcurrentConnections} calls run already`);
    try {
      const answer = await this.#host.outbound.request(where.value, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...renderedHeaders(headers, scope) },
        body: said.value,
        timeoutMs,
      });
      // Read in any case: a body that nobody reads holds its connection.
      const bytes = await answer.bytes();
      if (answer.status < 200 || answer.status > 299) return failed(`it answered ${answer.status}`);
      return { kind: 'said', value: JSON.parse(Buffer.from(bytes).toString()) };
    } catch (error) {
      if (error instanceof SyntaxError) return failed('its answer is no JSON');
      return failed(error instanceof Fault ? error.detail : 'the call failed');
    } finally {
      this.#places.leave();
    }
  }
}

const failed = (why: string): ModelSaid => ({ kind: 'failed', why });

const whyNot = (
  rendered: { readonly kind: 'nothing' } | { readonly kind: 'failed'; readonly why: string },
): string => (rendered.kind === 'failed' ? `fails: ${rendered.why}` : 'comes to nothing');
