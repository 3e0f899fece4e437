import { maskSealed } from '../../../proto/model/secrets/sealed-values.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { callsBehind, callsPerAnswerMax, type CallPlace } from '../../analytics/questions/log-questions.ts';
import type { Row } from '../../analytics/questions/question.ts';
import { csvLine } from '../csv.ts';
import type { Desk } from '../desk.ts';
import type { Content } from '../route.ts';
import { askAbout, spanOf } from './analytics.ts';
import { fieldsOf, idsIn, idsOf } from './log-shape.ts';
import { type CallsOf, countCalls, settled } from './logs.ts';
import { type Names, namesIn } from './names.store.ts';

/** Media types of exports. */
export const exportTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
/** How an export is written: a table for people, a JSON object a line for programs. */
export type ExportFormat = keyof typeof exportTypes;

/** Most calls of one export: a longer one is several, of shorter spans. */
const exportedCallsMax = 1_000_000;

/** Which calls, and whether without what is told to who may read the logs of an API alone. */
type ExportWish = CallsOf & { readonly isForConsumer?: boolean };

/**
 * All calls of a span that fulfil the conditions, newest first, as a file that is sent while the lake is read, some thousand calls at a
 * time. What arrives late in a part of the span that has been read is not in it.
 *
 * Errors: request.invalid when there are more than {@link exportedCallsMax}; as {@link askAbout}.
 */
export async function exportCalls(desk: Desk, wish: ExportWish, format: ExportFormat): Promise<Content> {
  const fixed = { ...wish, ...spanOf(desk, wish) };
  const conditions = await settled(desk, fixed);
  const total = await countCalls(desk, { ...fixed, conditions });
  if (total > exportedCallsMax)
    throw new Fault('request.invalid', {
      details: [
        { path: 'from', message: `${total} calls are more than ${exportedCallsMax}: export shorter spans` },
      ],
    });
  return {
    type: `${exportTypes[format]}; charset=utf-8`,
    fileName: `logs-${fixed.fromMs}-${fixed.toMs}.${format}`,
    text: texts(desk, { ...fixed, conditions }, format),
  };
}

async function* texts(desk: Desk, wish: ExportWish, format: ExportFormat): AsyncGenerator<string> {
  const shown = Object.entries(columns).filter(
    ([name]) => wish.isForConsumer !== true || !ofProvider.has(name),
  );
  if (format === 'csv') yield `${shown.map(([name]) => name).join(',')}\r\n`;
  const write = { csv: tableLine, ndjson: (call: object) => `${JSON.stringify(call)}\n` }[format];
  let behind: CallPlace | undefined;
  while (true) {
    const rows = await askAbout(desk, callsBehind(wish.conditions, behind), wish);
    const names = await namesIn(desk.storage.db, wish.at, idsIn(rows));
    yield rows.map((row) => write(exportedOf(row, shown, names))).join('');
    const last = rows.at(-1);
    if (last === undefined || rows.length < callsPerAnswerMax) return;
    behind = { atMs: Number(last['at_ms']), requestId: idsOf(last).requestId };
  }
}

type Column = (row: ReturnType<typeof fieldsOf>, names: Names) => string | number | undefined;
const textOf =
  (name: string): Column =>
  ({ text }) =>
    text(name);
const wholeOf =
  (name: string): Column =>
  ({ whole }) =>
    whole(name);

const columns: Readonly<Record<string, Column>> = {
  requestId: textOf('request_id'),
  transactionId: textOf('transaction_id'),
  apiId: textOf('api_id'),
  apiName: ({ text }, { api }) => api.get(text('api_id') ?? '') ?? text('api_name'),
  applicationId: textOf('application_id'),
  applicationName: ({ text }, { application }) => application.get(text('application_id') ?? ''),
  planId: textOf('plan_id'),
  planName: ({ text }, { plan }) => plan.get(text('plan_id') ?? ''),
  subscriptionId: textOf('subscription_id'),
  method: textOf('http_method'),
  host: textOf('host'),
  uri: textOf('uri'),
  status: wholeOf('status'),
  gatewayResponseTimeMs: wholeOf('response_ms'),
  gatewayLatencyMs: wholeOf('latency_ms'),
  endpointResponseTimeMs: wholeOf('endpoint_ms'),
  endpoint: textOf('endpoint'),
  requestBytes: wholeOf('request_bytes'),
  responseBytes: wholeOf('response_bytes'),
  remoteAddress: textOf('remote_address'),
  userAgent: textOf('user_agent'),
  gateway: textOf('gateway_id'),
  entrypoint: textOf('entrypoint'),
  errorKey: textOf('error_key'),
  message: textOf('error_message'),
  customMetrics: textOf('custom_metrics'),
  timestamp: textOf('timestamp'),
};

const ofProvider: ReadonlySet<string> = new Set(['endpoint', 'gateway', 'message']);

function exportedOf(
  row: Row,
  shown: readonly (readonly [name: string, Column])[],
  names: Names,
): Readonly<Record<string, unknown>> {
  const fields = fieldsOf({ ...row, timestamp: idsOf(row).timestamp });
  const call = shown.map(([name, column]) => [name, column(fields, names)] as const);
  return maskSealed(Object.fromEntries(call)) as Readonly<Record<string, unknown>>;
}

/** Columns stand in the order in which the call was made of them. */
const tableLine = (call: Readonly<Record<string, unknown>>): string => csvLine(Object.values(call));
