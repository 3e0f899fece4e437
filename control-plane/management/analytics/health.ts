import { z } from '@hono/zod-openapi';
import {
  healthAvailability,
  healthChecks,
  type HealthFigures,
  type HealthGroup,
  healthResponseTime,
  healthResponseTimes,
  healthStates,
} from '../../analytics/questions/health-questions.ts';
import type { Row } from '../../analytics/questions/question.ts';
import type { ApiRef } from '../apis/api-gate.ts';
import type { Desk } from '../desk.ts';
import { momentText, present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { type AnalyticsWish, askAboutApi } from './analytics.ts';
import { fieldsOf } from './log-shape.ts';

/** Figures of health are of the last month: the reference asks for no span. */
const figuresMs = 30 * 86_400_000;

/** A figure of an API and of each endpoint, or gateway. */
export const healthFiguresSchema = z.object({
  global: z.number().optional(),
  group: z.record(z.string(), z.number()),
});

/** By the number in records. */
const stateNames = ['DOWN', 'TRANSITIONALLY_DOWN', 'TRANSITIONALLY_UP', 'UP'] as const;

/** A check of an endpoint, as answers have it; one check has one step. */
export const healthCheckSchema = z
  .object({
    id: z.string(),
    timestamp: z.string(),
    endpointName: z.string(),
    gatewayId: z.string(),
    responseTime: z.int(),
    success: z.boolean(),
    /** What the endpoint was after the check, and whether the check changed it. */
    state: z.enum(stateNames),
    transition: z.boolean(),
    steps: z.array(
      z.object({
        name: z.string(),
        success: z.boolean(),
        message: z.string().optional(),
        request: z.object({ uri: z.string().optional(), method: z.string().optional() }),
        response: z.object({ status: z.int().optional() }),
      }),
    ),
  })
  .openapi('HealthCheckLog');

/** How available the endpoints of an API were to its gateways. Errors: as {@link askAboutApi}. */
export function apiAvailability(
  desk: Desk,
  ref: ApiRef & { readonly by: HealthGroup | undefined },
): Promise<HealthFigures> {
  return askAboutApi(desk, healthAvailability[ref.by ?? 'endpoint'], lastMonth(desk, ref), {});
}

/** How long checks of the endpoints of an API took. Errors: as {@link askAboutApi}. */
export function apiHealthResponseTime(
  desk: Desk,
  ref: ApiRef & { readonly by: HealthGroup | undefined },
): Promise<HealthFigures> {
  return askAboutApi(desk, healthResponseTime[ref.by ?? 'endpoint'], lastMonth(desk, ref), {});
}

/** How long checks took over time, in ms, a figure a step; 0 where there were none, since clients of the reference take whole numbers alone. */
export const healthOverTimeSchema = z.object({
  timeRange: z.object({ from: z.int(), to: z.int(), interval: z.int() }),
  data: z.array(z.int()),
});

const stepsMax = 60;

/** How long checks of the endpoints of an API took over time, in 60 steps at most. Errors: as {@link askAboutApi}. */
export async function apiHealthOverTime(
  desk: Desk,
  { at, id, fromMs, toMs }: AnalyticsWish,
): Promise<z.infer<typeof healthOverTimeSchema>> {
  const to = toMs ?? desk.clock.now() + 1;
  const from = fromMs ?? Math.max(0, to - 86_400_000);
  const interval = Math.max(1, Math.ceil((to - from) / stepsMax));
  const figures = await askAboutApi(
    desk,
    healthResponseTimes,
    { at, id, fromMs: from, toMs: to },
    { start: from, interval },
  );
  const steps = Math.ceil((to - from) / interval);
  return {
    timeRange: { from, to, interval },
    data: Array.from({ length: steps }, (_, step) => figures.get(step) ?? 0),
  };
}

/** Lists checks of the endpoints of an API, newest first. Errors: as {@link askAboutApi}. */
export async function listHealthChecks(
  desk: Desk,
  ref: ApiRef &
    PageWish & { readonly success: boolean | undefined; readonly isTransition: boolean | undefined },
) {
  const success = ref.success === undefined ? -1 : Number(ref.success);
  const { rows, total } = await askAboutApi(desk, healthChecks, lastMonth(desk, ref), {
    ...boundsOf(ref),
    success,
    transition: ref.isTransition === undefined ? -1 : Number(ref.isTransition),
  });
  return { data: rows.map(checkOf), total };
}

/** How an endpoint stands to a gateway; UNKNOWN where that has not checked it for long. */
export const endpointHealthSchema = z
  .object({
    group: z.string(),
    endpoint: z.string(),
    target: z.string().optional(),
    gatewayId: z.string(),
    state: z.enum([...stateNames, 'UNKNOWN']),
    /** The same as of the last check, whenever that was. */
    lastState: z.enum(stateNames),
    checkedAt: z.string(),
    /** When it became so; absent where it was so all month. */
    since: z.string().optional(),
    /** Of the last month: checks, the part of them after which it got requests (0 to 1), and changes of its state. */
    checks: z.int(),
    availability: z.number(),
    transitions: z.int(),
    /** Why the last check failed, of one that gets no requests. */
    message: z.string().optional(),
  })
  .openapi('EndpointHealth');

/** A check that is older tells nothing of now: records take seconds, and most checks are as often as minutes. */
const freshMs = 900_000;

/** How each endpoint of an API stands to each gateway that checked it in the last month. Errors: as {@link askAboutApi}. */
export async function listEndpointHealth(desk: Desk, ref: ApiRef & PageWish) {
  const span = lastMonth(desk, ref);
  const { rows, total } = await askAboutApi(desk, healthStates, span, { ...boundsOf(ref) });
  const data = rows.map((row): z.infer<typeof endpointHealthSchema> => {
    const { text } = fieldsOf(row);
    const atMs = Number(row['at_ms']);
    const sinceMs = row['since_ms'];
    return present({
      group: text('endpoint_group') ?? '',
      endpoint: text('endpoint_name') ?? '',
      target: text('endpoint'),
      gatewayId: text('gateway_id') ?? '',
      state: span.toMs - atMs > freshMs ? ('UNKNOWN' as const) : stateOf(row),
      lastState: stateOf(row),
      checkedAt: momentText(atMs) ?? '',
      since: typeof sinceMs === 'number' ? momentText(sinceMs) : undefined,
      checks: Number(row['checks']),
      availability: Number(Number(row['availability']).toFixed(4)),
      transitions: Number(row['transitions']),
      message: text('message'),
    });
  });
  return { data, total };
}

const stateOf = (row: Row): (typeof stateNames)[number] => stateNames[Number(row['state'])] ?? 'DOWN';

function lastMonth(desk: Desk, { at, id }: ApiRef) {
  const toMs = desk.clock.now() + 1;
  return { at, id, fromMs: Math.max(0, toMs - figuresMs), toMs };
}

function checkOf(row: Row): z.infer<typeof healthCheckSchema> {
  const { text } = fieldsOf(row);
  const [gatewayId = '', endpointName = ''] = [text('gateway_id'), text('endpoint_name')];
  const isSuccess = row['success'] === 1;
  const status = row['check_status'];
  const step = present({
    name: 'default-step',
    success: isSuccess,
    message: text('message'),
    request: present({ uri: text('endpoint'), method: text('check_method') }),
    response: present({ status: typeof status === 'number' ? status : undefined }),
  });
  return {
    id: `${gatewayId}:${Number(row['at_ms'])}:${endpointName}`,
    timestamp: momentText(Number(row['at_ms'])) ?? '',
    endpointName,
    gatewayId,
    responseTime: Math.round(Number(row['response_ms'] ?? 0)),
    success: isSuccess,
    state: stateOf(row),
    transition: row['transition'] === 1,
    steps: [step],
  };
}
