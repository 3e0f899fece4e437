import type { Answer, PolicyCall } from '../policy.ts';
import type { KeptAnswer } from './entry.ts';
import { dateOf } from './worth.ts';

/** What a kept answer says to a request: itself with its age, or that the caller has it already. */
export function answerOf(kept: KeptAnswer, call: PolicyCall): Answer {
  const { status, headers, body, keptAtMs, age } = kept;
  const seconds = age + Math.max(0, Math.floor((call.startedAtMs - keptAtMs) / 1_000));
  const aged: Answer['headers'] = [...headers, ['Age', String(seconds)]];
  if (!isKnown(kept, call)) return { kind: 'answer', status, headers: aged, body };
  // RFC 9110 section 15.4.5: what describes the content stands in the answer that the caller has.
  const plain = aged.filter(([name]) => !/^content-(?!location$)/i.test(name));
  return { kind: 'answer', status: 304, headers: plain, body: '' };
}

/** RFC 9110 section 13.2.2, of GET and HEAD: tags go before dates. */
function isKnown({ status, headers }: KeptAnswer, { request }: PolicyCall): boolean {
  if (status !== 200 || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
  const said = (wanted: string): string | undefined =>
    headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const tags = request.headers.getAll('if-none-match');
  if (tags.length > 0) {
    const own = said('etag');
    return tags.some(
      (line) => line.trim() === '*' || (own !== undefined && tagsOf(line).includes(opaque(own))),
    );
  }
  const since = dateOf(request.headers.get('if-modified-since') ?? '');
  const modified = dateOf(said('last-modified') ?? '');
  return since !== undefined && modified !== undefined && modified <= since;
}

/** Compared weakly (RFC 9110 section 8.8.3.2): a comma may stand in a tag. */
const tagsOf = (line: string): readonly string[] => line.match(/"[^"]*"/g) ?? [];

const opaque = (tag: string): string => tag.replace(/^W\//, '');
