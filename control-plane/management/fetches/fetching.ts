import { Fault } from '../../../proto/faults/fault.ts';
import { JoltFailure, readJolt } from '../../../proto/expression/jolt/jolt.ts';
import type { FetchSource } from '../../../proto/model/fetched/source.ts';
import { readWords, textOfWords, type WordBounds } from '../../../proto/model/fetched/words.ts';
import type { Outbound } from '../../../proto/process/outbound/outbound.ts';

/** Who calls, and the bounds of a call. */
export interface FetchBounds {
  readonly outbound: Pick<Outbound, 'request'>;
  /** From the call to the last byte of the answer. */
  readonly answerMsMax: number;
  readonly answerBytesMax: number;
}

/** What came of a fetch: a text, or what was wrong, for the owner and, in more words, for the log. */
export type FetchOutcome =
  /** isKept: it stays beside the question, and is handed on only where it differs; another text is handed on each time. */
  | { readonly kind: 'came'; readonly text: string; readonly isKept: boolean }
  | { readonly kind: 'failed'; readonly problem: string; readonly cause?: unknown };

/** What is asked again and again. */
export interface Question {
  /** Asks once. Errors: none but the reason of the signal; what goes wrong is the outcome. */
  ask(this: void, by: FetchBounds & { readonly signal: AbortSignal }): Promise<FetchOutcome>;
  /** The first moment after the given one, ms since the epoch; undefined when there is none. */
  nextMs(this: void, afterMs: number): number | undefined;
}

const failed = (problem: string, cause?: unknown): FetchOutcome => ({ kind: 'failed', problem, cause });

/** Words that are asked for again and again. */
export const wordsQuestion = (source: FetchSource, bounds: WordBounds): Question => ({
  nextMs: source.nextMs,
  ask: (by) => fetchWords(source, bounds, by),
});

async function fetchWords(
  source: FetchSource,
  bounds: WordBounds,
  { outbound, answerMsMax, answerBytesMax, signal }: FetchBounds & { readonly signal: AbortSignal },
): Promise<FetchOutcome> {
  const jolt = readJolt(source.transformation);
  if (!('run' in jolt)) return failed(jolt.join('; '));
  try {
    const answer = await outbound.request(source.url, {
      method: source.method,
      headers: headersOf(source),
      ...(source.body === '' ? {} : { body: source.body }),
      timeoutMs: Math.max(1, Math.min(source.answerMs ?? answerMsMax, answerMsMax)),
      bodyBytesMax: answerBytesMax,
      signal,
    });
    if (answer.status < 200 || answer.status > 299) {
      // A body that nobody reads would hold its connection.
      await answer.bytes().catch(() => undefined);
      return failed(`The answer has the status ${answer.status}.`);
    }
    const words = readWords(jolt.run(await answer.json()), bounds);
    return typeof words === 'string'
      ? failed(`Of no use: ${words}.`)
      : { kind: 'came', text: textOfWords(words), isKept: true };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof JoltFailure) return failed(`The transformation ${error.message}.`);
    const told = outboundProblem(error);
    return failed(told ?? 'Something unexpected went wrong; the log of the control plane says more.', error);
  }
}

/** What was wrong with a call, for whoever named its URL; undefined for what is no fault of a call. */
export function outboundProblem(error: unknown): string | undefined {
  if (!(error instanceof Fault)) return undefined;
  return error.code === 'outbound.refused_address'
    ? `${error.detail} Add it to control-plane.outbound.allow.`
    : [error.detail, error.hint].filter(Boolean).join(' ');
}

/** Several of one name are one with a comma between, as RFC 9110 section 5.3 has it. */
function headersOf({ headers }: FetchSource): Record<string, string> {
  const values = new Map<string, string>([['accept', 'application/json']]);
  const own = new Set<string>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    values.set(key, own.has(key) ? `${values.get(key) ?? ''}, ${value}` : value);
    own.add(key);
  }
  return Object.fromEntries(values);
}
