import { Fault } from '../../../proto/faults/fault.ts';
import { JoltFailure, readJolt } from '../../../proto/expression/jolt/jolt.ts';
import type { FetchSource } from '../../../proto/model/fetched/source.ts';
import { readWords, type WordBounds, type Words } from '../../../proto/model/fetched/words.ts';
import type { Outbound } from '../../../proto/process/outbound/outbound.ts';

/** Who calls, and the bounds of a call. */
export interface FetchBounds {
  readonly outbound: Pick<Outbound, 'request'>;
  /** From the call to the last byte of the answer. */
  readonly answerMsMax: number;
  readonly answerBytesMax: number;
}

/** What came of a fetch: words, or what was wrong, for the owner and, in more words, for the log. */
export type FetchOutcome =
  | { readonly kind: 'words'; readonly words: Words }
  | { readonly kind: 'failed'; readonly problem: string; readonly cause?: unknown };

const failed = (problem: string, cause?: unknown): FetchOutcome => ({ kind: 'failed', problem, cause });

/** Asks once. Errors: none but the reason of the signal; what goes wrong is the outcome. */
export async function fetchWords(
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
    return typeof words === 'string' ? failed(`Of no use: ${words}.`) : { kind: 'words', words };
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
