import { withResponse } from '../../../proto/expression/scope.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { Capture, CaptureMemory, type UpstreamResult } from '../../http/exchange.ts';
import { decodeEntry, encodeEntry } from '../cache/entry.ts';
import { answerOf, copied, headOf } from '../cache/kept-answer.ts';
import { setMetric } from '../custom-metrics.ts';
import type { BackendAnswer, PolicyCall, PolicyFactory, PolicyHost } from '../policy.ts';
import { ModelCall } from './model-call.ts';
import { type Asked, askedOf, isNegotiated } from './near-prompt.ts';
import { answeredByCache } from './semantic-cache-mark.ts';
import { vectorIn, VectorStore } from './vectors.ts';

type Config = PolicyConfig<'ai-semantic-caching'>;
type Response = Extract<UpstreamResult, { readonly kind: 'response' }>;
type Next = () => Promise<BackendAnswer>;

/** One answer, with its head. */
const entryBytesMax = 1_048_576;
/** What all steps of this process keep, and what is on its way there. */
const memory = new CaptureMemory(256 * 1_048_576);
const captures = new CaptureMemory(64 * 1_048_576);

/** What a request holds until it is over. */
interface Held {
  capture: Capture | undefined;
}

/** Answers a prompt with what was answered to one of nearly the same meaning. */
export const semanticCaching: PolicyFactory<'ai-semantic-caching', Held> = (config, { host }) => {
  const step = new SemanticCache(config, host);
  return {
    slot: () => ({ capture: undefined }),
    around: { needs: 'buffered', run: (call, next, held) => step.run(call, next, held) },
    end: (_call, _outcome, held) => held.capture?.release(),
    release: () => step.clear(),
  };
};

/** What is looked for, and as what its answer will be kept. */
interface Wanted extends Asked {
  readonly vector: Float32Array;
}

class SemanticCache {
  readonly #config: Config;
  readonly #embeddings: ModelCall;
  readonly #store: VectorStore;

  constructor(config: Config, host: PolicyHost) {
    this.#config = config;
    this.#embeddings = new ModelCall(config.embeddings, host);
    this.#store = new VectorStore({
      entriesMax: config.entriesMax,
      lifeMs: config.timeToLiveSeconds * 1_000,
      memory,
      clock: host.clock,
    });
  }

  clear(): void {
    this.#store.clear();
  }

  async run(call: PolicyCall, next: Next, held: Held): Promise<BackendAnswer> {
    const asked = askedOf(call, this.#config);
    if (asked === undefined) return next();
    if ('why' in asked) return leftOut(call, next, asked.why);
    const said = await this.#embeddings.ask(call, asked.prompt);
    if (said.kind === 'gone') return next();
    if (said.kind === 'failed') return leftOut(call, next, `the service of embeddings: ${said.why}`);
    const vector = vectorIn(said.value);
    if (vector === undefined) return leftOut(call, next, 'the answer of the service has no embedding');
    const near = this.#store.nearest(asked.partition, vector, this.#config.threshold);
    const kept = near === undefined ? undefined : decodeEntry(near.value);
    if (near === undefined || kept?.kind !== 'answer')
      return this.#fetch(call, next, { held, wanted: { ...asked, vector } });
    call.attributes.set(answeredByCache, true);
    setMetric(call, 'long_cache-hit', '1');
    setMetric(call, 'double_cache-hit-score', near.score.toFixed(6));
    return answerOf(kept, call);
  }

  async #fetch(
    call: PolicyCall,
    next: Next,
    { held, wanted }: { readonly held: Held; readonly wanted: Wanted },
  ): Promise<BackendAnswer> {
    setMetric(call, 'long_cache-miss', '1');
    const answer = await next();
    if (answer.kind !== 'response' || !this.#isWorth(call, answer)) return answer;
    const { head, body } = answer;
    const said = headOf(head, call.startedAtMs);
    const capture = new Capture(captures, entryBytesMax);
    held.capture = capture;
    const whole = (): void => {
      held.capture = undefined;
      const isWhole = capture.bytes.length === capture.total;
      const value = isWhole ? encodeEntry({ ...said, kind: 'answer', body: capture.bytes }) : undefined;
      capture.release();
      if (value !== undefined && value.length <= entryBytesMax)
        this.#store.add(wanted.partition, wanted.vector, value);
    };
    return { ...answer, body: copied(body, { capture, whole, cut: () => capture.release() }) };
  }

  #isWorth(call: PolicyCall, { head: { status, headers }, body }: Response): boolean {
    const { scope, cacheCondition } = this.#config;
    if (status === 206 || status === 304 || body.isEmpty || body.endsWithConnection === true) return false;
    if ((body.length ?? 0) > entryBytesMax || headers.has('content-range') || headers.has('trailer'))
      return false;
    if (scope === 'API' && headers.has('set-cookie')) return false;
    const said = (name: string): readonly string[] =>
      headers
        .getAll(name)
        .flatMap((line) => line.split(','))
        .map((part) => part.trim().toLowerCase());
    if (said('cache-control').includes('no-store') || !said('vary').every(isNegotiated)) return false;
    const judged = cacheCondition?.judge(withResponse(call, { status, headers, content: undefined })) ?? true;
    if (typeof judged === 'object') call.warn('EXPRESSION_EVALUATION_ERROR', `cacheCondition: ${judged.why}`);
    return judged === true;
  }
}

/** Goes to the backend, and keeps nothing. */
function leftOut(call: PolicyCall, next: Next, why: string): Promise<BackendAnswer> {
  setMetric(call, 'long_cache-error', '1');
  call.warn('AI_SEMANTIC_CACHING_ERROR', why);
  return next();
}
