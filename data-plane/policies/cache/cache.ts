import { needsOf } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { Capture, type UpstreamResult } from '../../http/exchange.ts';
import type { BackendAnswer, PolicyCall, PolicyFactory } from '../policy.ts';
import type { Cache } from '../served.ts';
import { decodeEntry, encodeEntry, type KeptAnswer } from './entry.ts';
import { type Fetch, type Fetched, Fetches } from './fetches.ts';
import { answerOf, copied, headOf } from './kept-answer.ts';
import { type Action, keyOf, takeAction, variantKeyOf } from './key.ts';
import { type Worth, worthOf } from './worth.ts';

/** What a request holds until it is over. */
interface Held {
  /** Others may wait for it. */
  fetch: Fetch | undefined;
  capture: Capture | undefined;
}

/** An answer that neither step nor resource bounds. */
const lifeMsDefault = 30 * 86_400_000;
/** A part of something, or something that depends on what the caller has: the backend's to answer. */
const passing = ['range', 'if-range', 'if-match', 'if-unmodified-since', 'upgrade'];

const conditional = ['if-none-match', 'if-modified-since'];

type Response = Extract<UpstreamResult, { readonly kind: 'response' }>;

/**
 * Keeps answers of the backend in a resource of the API, and gives them in its place. What is kept how, and who gets it, is said in its
 * schema; `key.ts` says what tells requests apart, `worth.ts` which answers are kept, `entry.ts` in which form.
 */
export const cache: PolicyFactory<'cache', Held> = (config, { host, place }) => {
  const named = `${place.at}.configuration.cacheName`;
  const cacheOf = host.resource('cache', config.cacheName, named);
  const fetches = new Fetches({ clock: host.clock, waitMsMax: cacheOf.fetchWaitMsMax });
  const step = new CacheStep(config, cacheOf, fetches);
  return {
    slot: () => ({ fetch: undefined, capture: undefined }),
    around: { needs: needsOf([config.key]), run: (call, next, held) => step.run(call, next, held) },
    end(_call, _outcome, held) {
      held.fetch?.end(undefined);
      held.capture?.release();
    },
  };
};

type Next = () => Promise<BackendAnswer>;

/** The step at work. */
class CacheStep {
  readonly #config: PolicyConfig<'cache'>;
  readonly #cache: Cache;
  readonly #fetches: Fetches;
  readonly #methods: ReadonlySet<string>;
  readonly #lifeMsMax: number;

  constructor(config: PolicyConfig<'cache'>, of: Cache, fetches: Fetches) {
    this.#config = config;
    this.#cache = of;
    this.#fetches = fetches;
    this.#methods = new Set(config.methods);
    const lives = [config.timeToLiveSeconds * 1_000, of.lifeMsMax].filter((ms) => ms > 0);
    this.#lifeMsMax = lives.length === 0 ? lifeMsDefault : Math.min(...lives);
  }

  async run(call: PolicyCall, next: Next, held: Held): Promise<BackendAnswer> {
    const action = takeAction(call.request);
    const key = this.#keyFor(call, action);
    if (key === undefined) {
      this.#cache.count('bypassed');
      return next();
    }
    const isRefreshed = action === 'REFRESH' && this.#config.allowRefreshAction;
    const found = isRefreshed ? 'nothing' : await this.#find(call, key);
    if (found === 'unavailable') {
      this.#cache.count('unavailable');
      call.warn('CACHE_UNAVAILABLE', `the cache ${this.#config.cacheName} does not answer`);
      return next();
    }
    if (found === 'nothing') return this.#fetch(call, next, { key, held, isRefreshed });
    this.#cache.count('hit');
    return answerOf(found, call);
  }

  /** Undefined for a request that is not looked for. */
  #keyFor(call: PolicyCall, action: Action): string | undefined {
    const { request } = call;
    const { key, scope } = this.#config;
    const hasBody = request.hasBody || (request.content?.length ?? 0) > 0;
    const isOwnKey = key.kind === 'varying' || key.value !== '';
    if (action === 'BY_PASS' || !this.#methods.has(request.method)) return undefined;
    if (passing.some((name) => request.headers.has(name)) || (hasBody && !isOwnKey)) return undefined;
    const own = key.render(call);
    if (own.kind === 'value') return keyOf(call, { scope, own: own.value });
    const why = own.kind === 'failed' ? own.why : 'it comes to nothing';
    call.warn('EXPRESSION_EVALUATION_ERROR', `key: ${why}`);
    return undefined;
  }

  /** Follows what the answer of a key varies by. */
  async #find(call: PolicyCall, key: string): Promise<KeptAnswer | 'nothing' | 'unavailable'> {
    const kept = this.#cache.get(key);
    const value = kept instanceof Promise ? await kept : kept;
    if (typeof value === 'string') return value;
    const entry = decodeEntry(value);
    if (entry?.kind !== 'variants') return entry ?? 'nothing';
    const variant = this.#cache.get(variantKeyOf(key, entry.names, call.request));
    const other = variant instanceof Promise ? await variant : variant;
    if (typeof other === 'string') return other;
    const found = decodeEntry(other);
    return found?.kind === 'answer' ? found : 'nothing';
  }

  async #fetch(
    call: PolicyCall,
    next: Next,
    { key, held, isRefreshed }: { readonly key: string; readonly held: Held; readonly isRefreshed: boolean },
  ): Promise<BackendAnswer> {
    const fetched = isRefreshed ? undefined : await this.#fetches.wait(key);
    const shared =
      fetched && fetched.key === variantOf(key, fetched.vary, call) ? decodeEntry(fetched.value) : undefined;
    if (shared?.kind === 'answer') {
      this.#cache.count('hit');
      return answerOf(shared, call);
    }
    this.#cache.count('miss');
    // Nothing is known of the body that GET would have.
    if (call.request.method === 'HEAD') return next();
    // Who may be told that he has it already fetches for nobody.
    if (!conditional.some((name) => call.request.headers.has(name))) held.fetch = this.#fetches.begin(key);
    const answer = await next();
    if (answer.kind !== 'response') return this.#unkept(held, answer);
    const worth = worthOf(answer, call, {
      ...this.#config,
      condition: this.#config.responseCondition,
      lifeMsMax: this.#lifeMsMax,
      bytesMax: this.#cache.bytesMax,
    });
    return worth === undefined ? this.#unkept(held, answer) : this.#keep(call, answer, { key, held, worth });
  }

  #unkept(held: Held, answer: BackendAnswer): BackendAnswer {
    held.fetch?.end(undefined);
    return answer;
  }

  /** Copies the answer while it passes. What its head says is taken now: steps of the response may change it. */
  #keep(
    call: PolicyCall,
    { head, body, ...answer }: Response,
    { key, held, worth }: { readonly key: string; readonly held: Held; readonly worth: Worth },
  ): BackendAnswer {
    const capture = new Capture(this.#cache.captures, this.#cache.bytesMax);
    held.capture = capture;
    const said = headOf(head, call.startedAtMs);
    const whole = (): void => {
      held.capture = undefined;
      // Whatever cut it: what is here is not what passed.
      const isWhole = capture.bytes.length === capture.total;
      const value = isWhole ? encodeEntry({ ...said, kind: 'answer', body: capture.bytes }) : undefined;
      capture.release();
      if (value === undefined || value.length > this.#cache.bytesMax) return held.fetch?.end(undefined);
      const fetched = { value, key: variantOf(key, worth.vary, call), vary: worth.vary };
      this.#set(key, fetched, worth.lifeMs);
      held.fetch?.end(fetched);
    };
    const cut = (): void => {
      capture.release();
      held.fetch?.end(undefined);
    };
    if (body.isEmpty) {
      whole();
      return { ...answer, head, body };
    }
    return { ...answer, head, body: copied(body, { capture, whole, cut }) };
  }

  /** An answer that varies stands under a key of its own; the key of them all says by what. */
  #set(key: string, { value, key: own, vary }: Fetched, lifeMs: number): void {
    const variants = vary.length === 0 ? undefined : encodeEntry({ kind: 'variants', names: vary });
    this.#cache.set(own, value, lifeMs);
    if (variants !== undefined) this.#cache.set(key, variants, lifeMs);
  }
}

function variantOf(key: string, vary: readonly string[], { request }: PolicyCall): string {
  return vary.length === 0 ? key : variantKeyOf(key, vary, request);
}
