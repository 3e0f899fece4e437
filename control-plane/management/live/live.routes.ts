import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { ofApi, ofApisWith } from '../analytics/analytics.ts';
import { callFilters, conditionsOf } from '../analytics/log-filters.ts';
import { foundApi } from '../apis/api-gate.ts';
import type { Desk } from '../desk.ts';
import { idsParam, wordsParam } from '../fields.ts';
import { type Content, resource, type RouteCall } from '../route.ts';
import { sentEvent } from './event.ts';
import type { SubjectSpec } from './subject.ts';
import { gatewaysOf, healthOf, propagationOf, trafficOf } from './subjects.ts';
import { missed, tailOf } from './tail.ts';

const define = resource({ tag: 'Live', scope: 'environment' });
const contentTypes = ['text/event-stream'];
/** Nobody between keeps it, changes it or waits until there is enough of it. */
const headers = async () => ({ 'X-Accel-Buffering': 'no', 'Cache-Control': 'no-store, no-transform' });
const streamed = { contentTypes, headers };

// What is searched for in bodies stands in other records, which come later.
const { bodyText: _bodyText, ...filters } = callFilters;
const apiQuery = z.strictObject(filters);
const environmentQuery = z.strictObject({
  ...filters,
  apiIds: idsParam.optional(),
  gatewayIds: idsParam.optional(),
  statusGroups: wordsParam(/^[1-5]xx$/, 'must be groups of statuses such as 4xx').optional(),
});
const besides = {
  apiIds: 'API',
  gatewayIds: 'GATEWAY',
  statusGroups: 'HTTP_STATUS_CODE_GROUP',
} as const;

/** What calls of an environment are narrowed by beside what those of an API are. */
function besidesOf(query: z.output<typeof environmentQuery>): readonly Condition[] {
  return Object.entries(besides).flatMap(([name, by]) => {
    const values = query[name as keyof typeof besides] ?? [];
    return values.length === 0 ? [] : [{ by, operator: 'IN', values } as const];
  });
}

type Call = RouteCall<unknown, unknown, unknown>;

/** Opens a stream about what a subject says of the caller's rights. */
async function stream(
  { desk, actor, again }: Pick<Call, 'desk' | 'actor' | 'again'>,
  subject: (actor: Call['actor']) => Promise<SubjectSpec>,
) {
  const text = await desk.live.open({ actor, again, subject });
  return { type: 'text/event-stream', text } satisfies Content;
}

/** Without analytics there is nothing that could come. */
function demandAnalytics({ analytics }: Desk): void {
  if (analytics === undefined) throw new Fault('analytics.unavailable');
}

/** Calls as they arrive, and what arrived since the last event of who comes back. */
async function tail(
  { desk, at, lastEventId, ...call }: Pick<Call, 'desk' | 'actor' | 'again' | 'at' | 'lastEventId'>,
  conditionsFor: (actor: Call['actor']) => Promise<readonly Condition[]>,
) {
  const wishOf = async (actor: Call['actor']) => ({ at, conditions: await conditionsFor(actor) });
  const wish = await wishOf(call.actor);
  demandAnalytics(desk);
  const { events, skipped } = await missed(desk, wish, lastEventId);
  const opened = await stream({ desk, ...call }, async (actor) => tailOf(desk, await wishOf(actor)));
  for (const event of events) opened.text.push(sentEvent(event));
  opened.text.skip(skipped);
  return opened;
}

/** Streams of server-sent events; each begins with how things are, and goes on as they change. */
export const liveRoutes = [
  define.get('/apis/{apiId}/logs/_live', {
    operationId: 'followApiLogs',
    permission: 'api-log',
    summary:
      'Sends the calls of an API as they arrive, an event `call` each; `skipped` counts those that were too many.',
    query: apiQuery,
    ...streamed,
    run: ({ params: { apiId }, query, ...call }) =>
      tail(call, async () => [await ofApi(call.desk, { at: call.at, id: apiId }), ...conditionsOf(query)]),
  }),
  define.get('/logs/_live', {
    operationId: 'followLogs',
    permission: 'environment-api',
    summary: 'Sends the calls of all APIs whose logs the caller may read, as they arrive.',
    query: environmentQuery,
    ...streamed,
    run: ({ query, ...call }) =>
      tail(call, async (actor) => [
        ...(await ofApisWith(call.desk, { actor, at: call.at }, 'api-log:read')),
        ...besidesOf(query),
        ...conditionsOf(query),
      ]),
  }),
  define.get('/apis/{apiId}/deployments/_live', {
    operationId: 'followApiDeployment',
    permission: 'api-gateway-definition',
    summary: 'Sends what each gateway has of the last deployment of an API, whenever that changes.',
    ...streamed,
    run: async ({ params: { apiId: id }, ...call }) => {
      const { desk, at } = call;
      await foundApi(desk.storage.db, { at, id });
      return stream(call, async () => propagationOf(desk, { at, id }));
    },
  }),
  define.get('/instances/_live', {
    operationId: 'followInstances',
    permission: 'environment-instance',
    summary: 'Sends how the gateways of an environment fare and how far they are, whenever that changes.',
    ...streamed,
    run: ({ desk, at, ...call }) => stream({ desk, ...call }, async () => gatewaysOf(desk, at)),
  }),
  define.get('/apis/{apiId}/health/_live', {
    operationId: 'followApiHealth',
    permission: 'api-health',
    summary: 'Sends how the endpoints of an API stand to its gateways, whenever that changes.',
    ...streamed,
    run: async ({ params: { apiId: id }, ...call }) => {
      const { desk, at } = call;
      await foundApi(desk.storage.db, { at, id });
      demandAnalytics(desk);
      return stream(call, async () => healthOf(desk, { at, id }));
    },
  }),
  define.get('/apis/{apiId}/analytics/_live', {
    operationId: 'followApiTraffic',
    permission: 'api-analytics',
    summary: 'Sends the requests and errors of an API in the last minute that records tell of.',
    ...streamed,
    run: async ({ params: { apiId: id }, ...call }) => {
      const { desk, at } = call;
      const conditions = [await ofApi(desk, { at, id })];
      demandAnalytics(desk);
      return stream(call, async () => trafficOf(desk, { at, conditions }));
    },
  }),
  define.get('/analytics/_live', {
    operationId: 'followTraffic',
    permission: 'environment-api',
    summary: 'Sends the same of all APIs whose figures the caller may read.',
    ...streamed,
    run: async (call) => {
      const { desk, at } = call;
      demandAnalytics(desk);
      return stream(call, async (actor) =>
        trafficOf(desk, { at, conditions: await ofApisWith(desk, { actor, at }, 'api-analytics:read') }),
      );
    },
  }),
];
