import type { ObservedAnswer } from './answer-lane.ts';
import type { AnswerCase, DeliveredAnswer } from './cases/answer-case.ts';
import { type MessageText, valuesOf } from './message-text.ts';

/** What is not as a case has it, in words; nothing when all is. */
export function judgeAnswer({ expect }: AnswerCase, observed: ObservedAnswer): readonly string[] {
  const faults = [...observed.faults];
  const same = (what: string, is: unknown, should: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      faults.push(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  };
  const status = observed.answer?.start.split(' ')[1];
  if ('delivered' in expect) {
    same('result', observed.result, 'response');
    same('outcome', observed.outcome, 'complete');
    same('reused', observed.isReused, expect.delivered.isReused ?? true);
    if (observed.answer === undefined)
      faults.push(`no whole answer, client closed: ${observed.isClientClosed}`);
    else compare(expect.delivered, observed.answer, same);
  } else if ('broken' in expect) {
    same('result', observed.result, 'response');
    same('outcome', observed.outcome, 'upstreamAborted');
    same('client closed', observed.isClientClosed, true);
    if (observed.answer !== undefined) faults.push(`a whole answer: ${JSON.stringify(observed.answer)}`);
    same('backend closed', observed.isBackendClosed, true);
  } else {
    same('result', observed.result, 'failure');
    const failures = 'invalid' in expect ? ['invalidResponse'] : expect.failure;
    if (!failures.some((failure) => failure === observed.failure))
      faults.push(`failure: ${observed.failure} (${observed.message})`);
    if ('invalid' in expect && observed.message?.includes(expect.invalid) !== true)
      faults.push(`fault: ${observed.message}, not ${expect.invalid}`);
    same('answered', status, '502');
    same('backend closed', observed.isBackendClosed, true);
  }
  return faults;
}

function compare(
  wanted: DeliveredAnswer,
  answer: MessageText,
  same: (what: string, is: unknown, should: unknown) => void,
): void {
  const [, status, ...reason] = answer.start.split(' ');
  same('status', status, String(wanted.status));
  if (wanted.reason !== undefined) same('reason', reason.join(' '), wanted.reason);
  for (const [name, values] of Object.entries(wanted.fields ?? {}))
    same(name, valuesOf(answer.fields, name), values);
  if (wanted.lines !== undefined) {
    const at = answer.fields.findIndex(({ line }) => line === wanted.lines?.[0]);
    same(
      'lines',
      answer.fields
        .slice(Math.max(0, at))
        .map(({ line }) => line)
        .slice(0, wanted.lines.length),
      wanted.lines,
    );
  }
  same('body', answer.body, wanted.body ?? '');
  same('trailers', answer.trailers, wanted.trailers ?? []);
}

/** What has to be the same however the bytes were cut, as one text. */
export function outcomeOfAnswer({ answer, ...observed }: ObservedAnswer): string {
  const { start, body, trailers } = answer ?? {};
  // A date is of the moment, and an answer that is here at once may have its length where one that streams is chunked.
  const fields = answer?.fields.filter(
    ({ lowerName }) => !['date', 'content-length', 'transfer-encoding'].includes(lowerName),
  );
  return JSON.stringify({ ...observed, start, fields: fields?.map(({ line }) => line), body, trailers });
}
