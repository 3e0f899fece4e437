import { needsOf } from '../../../proto/expression/template.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { renderedHeaders } from '../called-headers.ts';
import { type AnsweredCall, CONTINUE, type PolicyFactory } from '../policy.ts';

/** Reports of one step that are on their way, in each process. */
const reportsMax = 100;

/** What will be told of a request; undefined until its answer has passed. */
interface Slot {
  report: Report | undefined;
}

interface Report {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Tells another server of requests behind the backs of their callers. */
export const metricsReporter: PolicyFactory<'metrics-reporter', Slot> = (config, { host, place }) => {
  const { method, url, headers, body, http } = config;
  const timeoutMs = http.connectTimeout + http.readTimeout;
  let reports = 0;
  const reportOf = (call: AnsweredCall): Report | undefined => {
    const where = url.render(call, host.judgeTarget);
    if (where.kind !== 'value') {
      call.warn(
        'METRICS_REPORTER_FAILED',
        `url: ${where.kind === 'failed' ? where.why : 'it comes to nothing'}`,
      );
      return undefined;
    }
    const made = body.render(call);
    if (made.kind === 'failed') call.warn('METRICS_REPORTER_FAILED', `body: ${made.why}`);
    return {
      url: where.value,
      headers: renderedHeaders(headers, call),
      body: made.kind === 'value' ? made.value : '',
    };
  };
  /** Why it did not arrive; undefined when it did. */
  const send = async (report: Report): Promise<string | undefined> => {
    reports += 1;
    try {
      const answer = await host.outbound.request(report.url, {
        method,
        headers: report.headers,
        ...(report.body === '' ? {} : { body: report.body }),
        timeoutMs,
      });
      for await (const _part of answer.stream);
      return answer.status < 400 ? undefined : `it was answered with ${answer.status}`;
    } catch (error) {
      return error instanceof Fault ? error.detail : 'the report was not sent';
    } finally {
      reports -= 1;
    }
  };
  return {
    slot: () => ({ report: undefined }),
    response: {
      needs: needsOf([url, ...headers.map(({ value }) => value)]) === 'buffered' ? 'buffered' : body.needs,
      run(call: AnsweredCall, slot: Slot) {
        slot.report = reportOf(call);
        return CONTINUE;
      },
    },
    end(call, _outcome, { report }) {
      if (report === undefined) return;
      const step = { kind: 'metrics-reporter', at: place.at };
      const warn = (why: string): void => call.warn('METRICS_REPORTER_FAILED', why, { step });
      if (reports >= reportsMax) return warn(`${reportsMax} reports are on their way`);
      void send(report).then((why) => (why === undefined ? undefined : warn(why)));
    },
  };
};
