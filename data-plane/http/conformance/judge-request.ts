import type { ForwardedRequest, RequestCase, RequestExpectation } from './cases/request-case.ts';
import { refusals, type RefusalReason } from '../message/refusal.ts';
import { type MessageText, valuesOf } from './message-text.ts';
import type { Observed, SeenRequest } from './request-lane.ts';

/** What is not as a case has it, in words; nothing when all is. */
export function judgeRequest({ expect }: RequestCase, observed: Observed): readonly string[] {
  const faults = [...observed.faults];
  const same = (what: string, is: unknown, should: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      faults.push(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  };
  const { statuses, seen, received, reasons, isClosed } = totals(expect);
  same(
    'answered',
    observed.answers.map(({ start }) => start.split(' ')[1]),
    statuses,
  );
  same('seen by the gateway', observed.seen.length, seen);
  same('whole at the backend', observed.received.length, received);
  same('refused for', observed.refusals, reasons);
  same('closed', observed.isClosed, isClosed);
  if (isClosed && !('unfinished' in expect)) {
    const last = observed.answers.at(-1);
    const options = valuesOf(last?.fields ?? [], 'connection')
      .join(',')
      .toLowerCase();
    if (!/\bclose\b/.test(options)) faults.push('the last answer does not say close');
  }
  if ('forwarded' in expect) {
    for (const [at, wanted] of expect.forwarded.entries()) {
      const [by, there] = [observed.seen[at], observed.received[at]];
      if (by !== undefined && there !== undefined) compare(wanted, by, there, same);
    }
  }
  return faults;
}

function totals(expect: RequestExpectation) {
  const before = 'forwarded' in expect ? expect.forwarded.length : (expect.after ?? 0);
  const answered = Array.from({ length: before }, () => '200');
  const status = (reason: RefusalReason): string => String(refusals[reason].status);
  const none = { seen: before, received: before, reasons: [] as readonly string[] };
  if ('refused' in expect)
    return {
      ...none,
      statuses: [...answered, status(expect.refused)],
      reasons: [expect.refused],
      isClosed: true,
    };
  if ('broken' in expect)
    return {
      ...none,
      seen: before + 1,
      statuses: [...answered, status(expect.broken)],
      reasons: [expect.broken],
      isClosed: true,
    };
  if ('unfinished' in expect) {
    return { ...none, seen: before + (expect.isSeen === true ? 1 : 0), statuses: answered, isClosed: true };
  }
  const isClosed = expect.connection === 'closed';
  return { ...none, statuses: isClosed ? answered : [...answered, '204'], isClosed };
}

// oxlint-disable-next-line max-params -- three views of one request, and what to do when they differ
function compare(
  wanted: ForwardedRequest,
  seen: SeenRequest,
  received: MessageText,
  same: (what: string, is: unknown, should: unknown) => void,
): void {
  const [method, target, version] = received.start.split(' ');
  same('version at the backend', version, 'HTTP/1.1');
  same('method at the backend', method, seen.method);
  same('target at the backend', target, seen.query === undefined ? seen.path : `${seen.path}?${seen.query}`);
  for (const part of ['method', 'path', 'query', 'authority', 'host', 'version'] as const)
    if (part in wanted) same(part, seen[part], wanted[part]);
  for (const [name, values] of Object.entries(wanted.fields ?? {}))
    same(`${name} at the backend`, valuesOf(received.fields, name), values);
  for (const [name, values] of Object.entries(wanted.seen ?? {})) {
    const lines = seen.lines.filter(([line]) => line.toLowerCase() === name);
    same(
      `${name} at the gateway`,
      lines.map(([, value]) => value),
      values,
    );
  }
  if (wanted.lines !== undefined) {
    const at = received.fields.findIndex(({ line }) => line === wanted.lines?.[0]);
    same(
      'lines',
      received.fields
        .slice(Math.max(0, at))
        .map(({ line }) => line)
        .slice(0, wanted.lines.length),
      wanted.lines,
    );
  }
  same('body', received.body, wanted.body ?? '');
  same('trailers', received.trailers, wanted.trailers ?? []);
}

/** What has to be the same however the bytes were cut, as one text. */
export function outcomeOf(observed: Observed): string {
  const { seen, received, answers, refusals: reasons, isClosed, faults } = observed;
  return JSON.stringify({
    seen,
    received: received.map(({ start, fields, body, trailers }) => [
      start,
      fields.map(({ line }) => line),
      body,
      trailers,
    ]),
    answers: answers.map(({ start, body }) => [start, body]),
    reasons,
    isClosed,
    faults,
  });
}
