import { existsSync } from 'node:fs';
import { z } from 'zod';
import { StepList, whyNoSteps } from '../proto/model/records/step-list.ts';
import { Fault } from '../proto/faults/fault.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import type { Outbound } from '../proto/process/outbound/outbound.ts';
import { listSpools } from '../proto/spool/folder.ts';
import { createSpoolReader } from '../proto/spool/reader.ts';
import { lengthOf, plainLine, tableOf } from './terminal.ts';

/** A request and the steps that it took. */
export interface ExplainedRequest {
  readonly requestId: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly method: string | undefined;
  readonly uri: string | undefined;
  readonly status: number | undefined;
  readonly errorKey: string | undefined;
  readonly api: string;
  /** Milliseconds. */
  readonly tookMs: number | undefined;
  /** Undefined where none were written; `missing` says why. */
  readonly steps: StepList | undefined;
  readonly missing: string | undefined;
}

const lineSchema = z.object({
  request_id: z.string(),
  timestamp: z.number(),
  api_id: z.string(),
  http_method: z.string().optional(),
  uri: z.string().optional(),
  status: z.number().optional(),
  error_key: z.string().optional(),
  outcome: z.string().optional(),
  gateway_response_time_us: z.number().optional(),
  steps: z.string().optional(),
});

/**
 * Looks for a request in the records that lie on this machine: of a gateway, or of the one that `isthmus up` brings.
 *
 * What was shipped is deleted there within seconds. Cost: reads the spool whole, in pieces. Errors: request.not_found.
 */
export async function explainFromSpool(dataDir: string, requestId: string): Promise<ExplainedRequest> {
  const roots = [dataDir, foldersOf(dataDir).gatewayOfUp].map((dir) => foldersOf(dir).spools);
  const found = roots.filter((root) => existsSync(root));
  if (found.length === 0)
    throw new Fault('request.not_found', {
      detail: `There are no records in ${dataDir}.`,
      hint: '`isthmus explain --data-dir` names the folder of a gateway, and `--url` the control plane.',
    });
  const wanted = Buffer.from(`"request_id":${JSON.stringify(requestId)}`);
  for (const root of found)
    for (const { stream, dir, spool } of await listSpools(root)) {
      const line = stream === 'records' ? await lineWith(wanted, dir, spool) : undefined;
      if (line !== undefined) return recorded(line);
    }
  throw new Fault('request.not_found', {
    detail: `No record of ${requestId} lies on this machine.`,
    hint: 'It was shipped, or comes in a moment, or lies in another folder (--data-dir); `isthmus explain --url` asks the control plane, with a personal token.',
  });
}

async function lineWith(wanted: Buffer, dir: string, spool: string): Promise<string | undefined> {
  const reader = createSpoolReader({ dir, spool, from: 0 });
  try {
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read())
      for (const entry of entries) {
        if (entry.kind === 'gap') continue;
        const lines = Buffer.from(entry.lines);
        const at = lines.indexOf(wanted);
        if (at !== -1) return lines.subarray(lines.lastIndexOf(10, at) + 1, lines.indexOf(10, at)).toString();
      }
    return undefined;
  } finally {
    await reader.close();
  }
}

function recorded(line: string): ExplainedRequest {
  const record = lineSchema.parse(JSON.parse(line));
  const { status, error_key: errorKey, outcome, gateway_response_time_us: tookUs } = record;
  const steps = record.steps === undefined ? undefined : StepList.parse(JSON.parse(record.steps));
  return {
    requestId: record.request_id,
    timestamp: new Date(record.timestamp).toISOString(),
    method: record.http_method,
    uri: record.uri,
    status,
    errorKey,
    api: record.api_id,
    tookMs: tookUs === undefined ? undefined : tookUs / 1_000,
    steps,
    missing: steps === undefined ? whyNoSteps({ status, errorKey, outcome }) : undefined,
  };
}

const foundSchema = z.object({
  data: z.array(
    z.object({
      apiId: z.string(),
      timestamp: z.string(),
      method: z.string().optional(),
      uri: z.string().optional(),
      status: z.number(),
      errorKey: z.string().optional(),
      gatewayResponseTime: z.number(),
    }),
  ),
});
const toldSchema = z.object({
  message: z.string().optional(),
  stepsMissing: z.string().optional(),
  steps: z
    .object({
      for: StepList.shape.for,
      list: z.array(z.object({ fromUs: z.number(), tookUs: z.number() }).loose()),
      leftOut: z.number().optional(),
    })
    .optional(),
});

/** Who is asked for a request. */
export interface ControlPlaneWish {
  /** Of the management API, e.g. https://console.example.com. */
  readonly url: string;
  /** A personal token. */
  readonly token: string;
  readonly environment: string;
}

const answerMsMax = 30_000;

/** Asks the control plane for a request. Errors: request.not_found, request.unauthenticated, outbound.*. */
export async function explainFromControlPlane(
  outbound: Pick<Outbound, 'request'>,
  { url, token, environment }: ControlPlaneWish,
  requestId: string,
): Promise<ExplainedRequest> {
  const base = `${url.replace(/\/+$/, '')}/management/v2/environments/${encodeURIComponent(environment)}`;
  const ask = async (method: 'GET' | 'POST', path: string, body?: object) => {
    const answer = await outbound.request(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      timeoutMs: answerMsMax,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const search = await ask('POST', '/logs/search?perPage=1', {
    timeRange: { from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' },
    filters: [{ name: 'REQUEST_ID', operator: 'EQ', value: requestId }],
  });
  if (search.status !== 200) throw refusedBy(search, 'the search for it');
  const [call] = foundSchema.parse(search.body).data;
  if (call === undefined)
    throw new Fault('request.not_found', {
      detail: `Nothing was recorded of ${requestId} in the environment ${environment}, or not for you.`,
      hint: 'Records arrive some seconds after the answer.',
    });
  const log = await ask(
    'GET',
    `/apis/${encodeURIComponent(call.apiId)}/logs/${encodeURIComponent(requestId)}`,
  );
  if (log.status !== 200 && log.status !== 404) throw refusedBy(log, 'the log of it');
  const { steps, stepsMissing, message } = toldSchema.parse(log.body);
  const told =
    steps &&
    StepList.parse({
      for: steps.for,
      steps: steps.list.map(({ fromUs, tookUs, ...step }) => ({ ...step, from_us: fromUs, took_us: tookUs })),
      ...(steps.leftOut !== undefined && { left_out: steps.leftOut }),
    });
  // The management API has whole milliseconds; steps end with the request.
  const last = told?.left_out === undefined ? told?.steps.at(-1) : undefined;
  return {
    requestId,
    timestamp: call.timestamp,
    method: call.method,
    uri: call.uri,
    status: call.status,
    errorKey: call.errorKey,
    api: call.apiId,
    tookMs: last === undefined ? call.gatewayResponseTime : (last.from_us + last.took_us) / 1_000,
    steps: told,
    missing: told === undefined ? (stepsMissing ?? message) : undefined,
  };
}

function refusedBy(
  { status, body }: { readonly status: number; readonly body: unknown },
  what: string,
): Fault {
  const { message } = toldSchema.safeParse(body).data ?? {};
  const isStranger = status === 401 || status === 403;
  return new Fault(isStranger ? 'request.forbidden' : 'request.not_found', {
    detail: `The control plane refused ${what}: ${status} ${message ?? ''}`.trim(),
    hint: isStranger
      ? 'The token needs the right to read logs in this environment.'
      : 'Check what was given to `isthmus explain --url` and `--environment`.',
  });
}

/** Puts it into a table of lines, as wide as its words. */
export function explainedTable(of: ExplainedRequest): string {
  const { steps, missing } = of;
  const key = of.errorKey === undefined ? '' : ` ${of.errorKey}`;
  const head = `${of.method ?? ''} ${of.uri ?? ''}: ${of.status ?? ''}${key}`.trim();
  // Without steps it is known in whole milliseconds.
  const length = of.tookMs === 0 ? 'less than 1 ms' : lengthOf((of.tookMs ?? 0) * 1_000);
  const took = of.tookMs === undefined ? '' : ` in ${length}`;
  const lines = [`${head}${took}`, `${of.requestId} of the API ${of.api}, ${of.timestamp}`].map(plainLine);
  if (steps === undefined) return [...lines, missing ?? 'No steps were written of it.'].join('\n');
  const rows = steps.steps.map((step) => [
    lengthOf(step.from_us),
    lengthOf(step.took_us),
    step.phase,
    step.step,
    step.decision,
    [step.said, step.place].filter((each) => each !== undefined).join('  '),
  ]);
  const more = steps.left_out === undefined ? [] : [`${steps.left_out} more were left out`];
  const table = tableOf([['from', 'took', 'phase', 'step', 'decided', 'said'], ...rows], 2);
  return [...lines, `its steps were written because it was ${steps.for}`, '', table, ...more].join('\n');
}
