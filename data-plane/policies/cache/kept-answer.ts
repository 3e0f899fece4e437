import {
  type Body,
  type Capture,
  type HeaderList,
  type ResponseHead,
  transformBody,
} from '../../http/exchange.ts';
import type { Answer, PolicyCall } from '../policy.ts';
import { isKeptHeader, type KeptAnswer } from './entry.ts';
import { ageOf, dateOf } from './worth.ts';

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

/** What is kept of a head. */
export function headOf({ status, headers }: ResponseHead, keptAtMs: number) {
  const kept: [name: string, value: string][] = [];
  headers.forEach((name, value) => {
    if (isKeptHeader(name.toLowerCase())) kept.push([name, value]);
  });
  return { status, headers: kept, keptAtMs, age: ageOf(headers) };
}

/** A body that is copied while it passes; nothing of it changes or waits. `whole` is told at its end, `cut` when it is never kept. */
export function copied(
  body: Body,
  {
    capture,
    whole,
    cut,
  }: { readonly capture: Capture; readonly whole: () => void; readonly cut: () => void },
): Body {
  return transformBody(
    body,
    (to) => ({
      // oxlint-disable-next-line max-params -- BodySink's
      onPiece(bytes, start, end, isStable) {
        capture.add(bytes, start, end);
        if (capture.cutBy !== undefined) cut();
        to.onPiece(bytes, start, end, isStable);
      },
      onEnd(trailers: HeaderList | undefined) {
        if (trailers === undefined || trailers.size === 0) whole();
        to.onEnd(trailers);
      },
    }),
    { length: body.length },
  );
}
