import { requestsOf } from '../traffic/questions.ts';
import { laidOut } from './layout.ts';
import { kindOf, type Widget } from './questions.ts';

/** Dashboards that every environment has. Nobody changes them; a copy of one is changed like any other. */
export interface BuiltIn {
  /** Its part of an address; no dashboard of somebody's is called so. */
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly widgets: readonly Widget[];
}

type Metric = Widget['request']['metrics'][number];

/** What is kept says a span; pages show theirs in its place. */
export const anySpan = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };

const timed = (name: string, ...measures: NonNullable<Metric['measures']>): Metric => ({ name, measures });
const requests = timed('HTTP_REQUESTS', 'COUNT');
const ofGroup = (group: string): Metric => ({
  ...requestsOf(group),
  measures: ['COUNT'],
});
const slowest = (name: string): Metric => ({
  ...timed(name, 'P95'),
  sorts: [{ measure: 'P95', order: 'DESC' }],
});
const all = timed('HTTP_GATEWAY_RESPONSE_TIME', 'P50', 'P95', 'P99');

type Sketch = readonly [span: number, type: Widget['type'], title: string, metric: Metric, by?: string];

function widgets(...sketches: readonly Sketch[]): readonly Widget[] {
  return laidOut(
    sketches.map(([span, type, title, metric, by], at): readonly [Widget, number] => {
      const request: Widget['request'] = {
        type: kindOf(type),
        timeRange: anySpan,
        metrics: [metric],
        ...(by !== undefined && { by: [by], limit: 6 }),
      };
      const layout = { x: 0, y: 0, cols: 1, rows: 1 };
      return [{ id: String(at + 1), title, type, layout, request }, span];
    }),
  );
}

export const builtIns: readonly BuiltIn[] = [
  {
    id: 'http-apis',
    name: 'HTTP APIs',
    about: 'Requests, errors and times at a glance',
    widgets: widgets(
      [3, 'stats', 'Requests', requests],
      [3, 'stats', 'Error rate', timed('HTTP_ERROR_RATE', 'PERCENTAGE')],
      [3, 'stats', 'Average gateway latency', timed('HTTP_GATEWAY_LATENCY', 'AVG')],
      [3, 'stats', 'Average response time', timed('HTTP_GATEWAY_RESPONSE_TIME', 'AVG')],
      [8, 'time-series-bar', 'Calls by status', requests, 'HTTP_STATUS_CODE_GROUP'],
      [4, 'doughnut', 'Status', requests, 'HTTP_STATUS_CODE_GROUP'],
      [8, 'time-series-line', 'Response time over time', all],
      [4, 'horizontal-bar', 'Top applications', requests, 'APPLICATION'],
    ),
  },
  {
    id: 'errors',
    name: 'Errors',
    about: 'What was refused, what failed, and whom it met',
    widgets: widgets(
      [4, 'stats', 'Error rate', timed('HTTP_ERROR_RATE', 'PERCENTAGE')],
      [4, 'stats', 'Client errors', ofGroup('4xx')],
      [4, 'stats', 'Server errors', ofGroup('5xx')],
      [12, 'time-series-bar', 'Errors by key', timed('HTTP_ERRORS', 'COUNT'), 'ERROR_KEY'],
      [4, 'horizontal-bar', 'Server errors by API', ofGroup('5xx'), 'API'],
      [4, 'horizontal-bar', 'Client errors by application', ofGroup('4xx'), 'APPLICATION'],
      [4, 'horizontal-bar', 'Errors by path', timed('HTTP_ERRORS', 'COUNT'), 'HTTP_PATH'],
    ),
  },
  {
    id: 'consumers',
    name: 'Consumers',
    about: 'Who calls, by which plans, and how much',
    widgets: widgets(
      [12, 'time-series-bar', 'Calls by application', requests, 'APPLICATION'],
      [4, 'doughnut', 'Plans', requests, 'PLAN'],
      [4, 'horizontal-bar', 'Applications', requests, 'APPLICATION'],
      [4, 'horizontal-bar', 'Addresses of callers', requests, 'CONSUMER_IP'],
      [6, 'horizontal-bar', 'Refused, by application', ofGroup('4xx'), 'APPLICATION'],
      [6, 'horizontal-bar', 'Hosts that were called', requests, 'HOST'],
    ),
  },
  {
    id: 'times',
    name: 'Response times',
    about: 'How long calls took, and whether the gateway or its backends took it',
    widgets: widgets(
      [4, 'stats', 'p95 response time', timed('HTTP_GATEWAY_RESPONSE_TIME', 'P95')],
      [4, 'stats', 'p95 of backends', timed('HTTP_ENDPOINT_RESPONSE_TIME', 'P95')],
      [4, 'stats', 'p95 gateway latency', timed('HTTP_GATEWAY_LATENCY', 'P95')],
      [6, 'time-series-line', 'Response time over time', all],
      [
        6,
        'time-series-line',
        'Gateway latency over time',
        timed('HTTP_GATEWAY_LATENCY', 'P50', 'P95', 'P99'),
      ],
      [4, 'horizontal-bar', 'Slowest APIs', slowest('HTTP_GATEWAY_RESPONSE_TIME'), 'API'],
      [4, 'horizontal-bar', 'Slowest paths', slowest('HTTP_GATEWAY_RESPONSE_TIME'), 'HTTP_PATH'],
      [4, 'vertical-bar', 'By method', slowest('HTTP_GATEWAY_RESPONSE_TIME'), 'HTTP_METHOD'],
    ),
  },
  {
    id: 'gateways',
    name: 'Gateways',
    about: 'How calls are shared among gateways, and what passes through them',
    widgets: widgets(
      [12, 'time-series-bar', 'Calls by gateway', requests, 'GATEWAY'],
      [4, 'horizontal-bar', 'Latency by gateway', slowest('HTTP_GATEWAY_LATENCY'), 'GATEWAY'],
      [4, 'stats', 'Received', timed('HTTP_REQUEST_CONTENT_LENGTH', 'SUM')],
      [4, 'stats', 'Sent', timed('HTTP_RESPONSE_CONTENT_LENGTH', 'SUM')],
    ),
  },
];

export const builtIn = (id: string): BuiltIn | undefined => builtIns.find((one) => one.id === id);
