import { Fault } from '../../../proto/faults/fault.ts';
import type { Outbound } from '../../../proto/process/outbound/outbound.ts';
import { firstUnkeepable } from '../keepable.ts';
import { outboundProblem } from './fetching.ts';

/** Longest time for an answer. */
const answerMsMax = 10_000;

/** Who fetches. */
export interface TextCaller {
  /** Absent where nobody may be called. */
  readonly outbound?: Pick<Outbound, 'request'> | undefined;
  readonly signal?: AbortSignal;
}

/** Which text is fetched, and who is told when it is not there. */
interface TextWish {
  readonly url: string;
  readonly accept: string;
  /** More of them, by lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytesMax: number;
  /** Of the field that holds the URL. */
  readonly path: string;
}

/**
 * Fetches a text by the client that asks URLs of tenants. Redirects are not followed.
 *
 * Errors: request.invalid for what is no URL of http or https without user information, cannot be reached, is too large, or answers with
 * another status than 200.
 */
export async function fetchText(
  { outbound, signal }: TextCaller,
  { url, accept, headers, bytesMax, path }: TextWish,
): Promise<string> {
  const refused = (message: string): Fault => new Fault('request.invalid', { details: [{ path, message }] });
  if (!isPlainUrl(url)) throw refused('must be an http or https URL without user and password');
  if (outbound === undefined) throw refused('cannot be asked: this process calls nobody');
  try {
    const answer = await outbound.request(url, {
      headers: { ...headers, accept },
      timeoutMs: answerMsMax,
      bodyBytesMax: bytesMax,
      signal,
    });
    // Read in any case: a body that nobody reads would hold its connection.
    const text = await answer.text();
    if (answer.status !== 200) throw refused(`answers with the status ${answer.status}`);
    const fault = firstUnkeepable(text);
    if (fault !== undefined) throw refused(`answers with a text that cannot be kept: it ${fault.message}`);
    return text;
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid') throw error;
    const problem = outboundProblem(error);
    if (problem === undefined) throw error;
    throw refused(`cannot be asked: ${problem}`);
  }
}

/** Says whether a text is a URL that may be kept and shown: one that says by itself who calls is a secret. */
export function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
