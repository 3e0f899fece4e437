import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { arrivedTopic } from '../../analytics/questions/arrivals.store.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { trafficBySecond } from '../../analytics/questions/rate-questions.ts';
import { reportedTopic } from '../../publish/gateways.ts';
import { publishedTopic } from '../../publish/publisher.ts';
import { listEndpointHealth } from '../analytics/health.ts';
import type { ApiRef } from '../apis/api-gate.ts';
import { currentDeployment } from '../deployments/deployments.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { listGatewayStandings } from '../instances/instances.ts';
import type { SubjectSpec } from './subject.ts';

/** Gateways and endpoints that one event tells of; there may be more, and their number is told. */
const toldMax = 200;
/** How often something is looked at that a hint tells of at once. */
const hintedEveryMs = 5_000;
const healthEveryMs = 10_000;
/** Seconds that figures of traffic are of. */
const trafficSeconds = 60;
/** Records that are older say nothing of now. */
const currentMsMax = 30_000;

const stateOf = (name: string, data: unknown) => ({ events: [{ name, kind: 'state', data }] }) as const;

/** Which gateway runs what was deployed of an API last. */
export function propagationOf(desk: Desk, { at, id }: ApiRef): SubjectSpec {
  return {
    key: JSON.stringify(['propagation', at.organization, at.environment, id]),
    hints: [publishedTopic, reportedTopic].map((topic) => ({ topic, payload: at.environment })),
    everyMs: hintedEveryMs,
    watch: () => async () => {
      try {
        const {
          definition: _definition,
          gateways,
          ...deployment
        } = await currentDeployment(desk, { at, id });
        const counts = Object.fromEntries(
          Map.groupBy(gateways, ({ deployment: state }) => state)
            .entries()
            .map(([state, all]) => [state, all.length]),
        );
        return stateOf('deployment', { ...deployment, counts, gateways: gateways.slice(0, toldMax) });
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'request.not_found') throw error;
        return stateOf('deployment', {});
      }
    },
  };
}

/** How the gateways of an environment fare, and up to which change they have come. */
export function gatewaysOf(desk: Desk, at: EnvironmentRef): SubjectSpec {
  return {
    key: JSON.stringify(['gateways', at.organization, at.environment]),
    hints: [publishedTopic, reportedTopic].map((topic) => ({ topic, payload: at.environment })),
    everyMs: hintedEveryMs,
    watch: () => async () => stateOf('gateways', await listGatewayStandings(desk, at, toldMax)),
  };
}

/** How the endpoints of an API stand to its gateways. */
export function healthOf(desk: Desk, { at, id }: ApiRef): SubjectSpec {
  return {
    key: JSON.stringify(['health', at.organization, at.environment, id]),
    // Figures of a month: not for each file that arrives.
    hints: [],
    everyMs: healthEveryMs,
    watch: () => async () => {
      const { data, total } = await listEndpointHealth(desk, { at, id, page: 1, perPage: toldMax });
      return stateOf('health', { endpoints: data, total });
    },
  };
}

/** How many requests came in the last minute that records tell of, second by second, and how many failed. */
export function trafficOf(
  desk: Desk,
  { at, conditions }: { readonly at: EnvironmentRef; readonly conditions: readonly Condition[] },
): SubjectSpec {
  return {
    key: JSON.stringify(['traffic', at.organization, at.environment, conditions]),
    hints: [{ topic: arrivedTopic, payload: at.environment }],
    everyMs: hintedEveryMs,
    watch: () => async () => stateOf('traffic', await figuresOf(desk, at, conditions)),
  };
}

async function figuresOf(desk: Desk, at: EnvironmentRef, conditions: readonly Condition[]) {
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  const newestMs = await desk.analytics.newest(at);
  const nowMs = desk.clock.now();
  // Records are some seconds late: up to the newest they are whole. Where none has come for long there were no requests, or none is told of.
  const isCurrent = newestMs !== undefined && nowMs - newestMs <= currentMsMax;
  const endSecond = Math.floor((isCurrent ? Math.min(newestMs, nowMs) : nowMs) / 1_000);
  const firstSecond = endSecond - trafficSeconds;
  const { question, params } = trafficBySecond(conditions);
  const span = { ...at, fromMs: firstSecond * 1_000, toMs: endSecond * 1_000 };
  const bySecond = new Map(
    (await desk.analytics.ask(question, span, params)).map((each) => [each.second, each]),
  );
  const seconds = Array.from({ length: trafficSeconds }, (_, n) => bySecond.get(firstSecond + n));
  const sum = (of: 'requests' | 'clientErrors' | 'serverErrors'): number =>
    seconds.reduce((all, each) => all + (each?.[of] ?? 0), 0);
  return present({
    from: new Date(span.fromMs).toISOString(),
    to: new Date(span.toMs).toISOString(),
    recordsUntil: newestMs === undefined ? undefined : new Date(newestMs).toISOString(),
    requests: sum('requests'),
    clientErrors: sum('clientErrors'),
    serverErrors: sum('serverErrors'),
    requestsBySecond: seconds.map((each) => each?.requests ?? 0),
    serverErrorsBySecond: seconds.map((each) => each?.serverErrors ?? 0),
  });
}
