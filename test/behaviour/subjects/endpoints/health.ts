import { endpoint, group } from '../../pieces.ts';
import type { GatewayOf, Got, Json, Row, RowPlace, Subject } from '../../row.ts';

/** Checks are on time, so that a row need not wait for them; endpoints that answer badly are taken out. */
const checking: GatewayOf = {
  config: {
    healthCheck: { jitterMsMax: 0 },
    upstream: { outlierDetection: { consecutive5xx: 2, baseEjectionMs: 60_000 } },
  },
};
const over = { version: '1.1', because: 'checks are the gateway’s own, whatever callers speak' } as const;
const check = (configuration: Json, more: Json = {}): Json => ({
  services: {
    healthCheck: {
      enabled: true,
      type: 'http-health-check',
      configuration: {
        schedule: '*/1 * * * * *',
        failureThreshold: 1,
        successThreshold: 1,
        ...configuration,
      },
      ...more,
    },
  },
});
const own = (configuration: Json): Json => check(configuration, { overrideConfiguration: true });
/** Two endpoints, of which the first has a check of its own; it is the second's alone once that has failed. */
const checked =
  (configuration: (place: RowPlace) => Json, second: (place: RowPlace) => Json = () => ({})) =>
  (place: RowPlace): Json => ({
    ...group([
      endpoint('one', place.targets[0], own({ target: place.checked, ...configuration(place) })),
      endpoint('two', place.targets[1], second(place)),
    ]),
    properties: [{ key: 'word', value: 'open sesame' }],
  });
const [first, second]: readonly [Got, Got] = [
  { isAwaited: true, status: 200, asked: { backend: 0 } },
  { status: 200, asked: { backend: 1 } },
];
const firstIsDown: Row['exchanges'] = [
  // Round-robin would ask the first between them.
  [{}, { ...second, isAwaited: true }],
  [{}, { ...second, isAwaited: true }],
  [{}, { ...second, isAwaited: true }],
];
const isDown = (at: string, configuration: (place: RowPlace) => Json): Row => ({
  says: at,
  over,
  api: checked(configuration),
  exchanges: firstIsDown,
});

const rows: readonly Row[] = [
  {
    says: 'successThreshold is how many checks bring an endpoint back',
    over,
    api: checked(({ checked: url, id }) => ({ target: `${url}/${id}?fails=4` })),
    exchanges: [
      [{}, { ...second, isAwaited: true }],
      [{}, { isAwaited: true, ...first }],
      [{}, first],
    ],
  },
  isDown('an endpoint whose checks fail gets no request', () => ({ assertion: '{#response.status == 204}' })),
  isDown('an assertion may look at what was answered', () => ({
    assertion: "{#response.jsonContent.method == 'POST'}",
  })),
  isDown('method is that of the check', () => ({
    method: 'PUT',
    assertion: "{#response.jsonContent.method != 'PUT'}",
  })),
  isDown('headers are sent with the check, expressions in them', () => ({
    headers: [{ name: 'X-Word', value: "{#properties['word']}" }],
    assertion: "{#response.jsonContent.headers['x-word'] != 'open sesame'}",
  })),
  isDown('body is that of the check', () => ({
    method: 'POST',
    body: 'are you there?',
    assertion: "{#response.jsonContent.body != 'are you there?'}",
  })),
  {
    says: 'target is asked in place of the endpoint’s path',
    over,
    api: (place) =>
      group([
        endpoint(
          'one',
          `${place.checked}/base`,
          own({ target: '/health', assertion: "{#response.jsonContent.url == '/base/health'}" }),
        ),
        endpoint('two', place.targets[1]),
      ]),
    exchanges: firstIsDown,
  },
  {
    says: 'overrideEndpointPath: false asks for the target below the endpoint’s path',
    over,
    api: (place) =>
      group([
        endpoint(
          'one',
          `${place.checked}/base`,
          own({
            target: '/health',
            overrideEndpointPath: false,
            assertion: "{#response.jsonContent.url != '/base/health'}",
          }),
        ),
        endpoint('two', place.targets[1]),
      ]),
    exchanges: firstIsDown,
  },
  {
    says: 'failureThreshold is how many checks take an endpoint out',
    over,
    api: (place) =>
      group([
        endpoint('one', place.targets[0], own({ target: `${place.checked}?fails=1000` })),
        endpoint(
          'two',
          place.targets[1],
          own({ target: `${place.checked}?fails=1000`, failureThreshold: 1_000 }),
        ),
      ]),
    exchanges: firstIsDown,
  },
  {
    says: 'an endpoint without overrideConfiguration has the check of its group',
    over,
    api: (place) =>
      group(
        [
          endpoint('one', place.targets[0], check({ target: place.checked, assertion: 'false' })),
          endpoint('two', place.targets[1], check({ target: place.checked, assertion: 'false' })),
        ],
        check({ target: place.checked }),
      ),
    exchanges: [
      [{}, { status: 200, asked: { backend: 0 } }],
      [{}, { status: 200, asked: { backend: 1 } }],
    ],
  },
  {
    says: 'the check of a group is that of each of its endpoints; when all are down it is 503',
    over,
    api: (place) => ({
      ...group([endpoint('one', place.targets[0])], check({ target: place.checked, assertion: 'false' })),
      responseTemplates: { NO_ENDPOINT_FOUND: { '*/*': { body: '{#error.key}' } } },
    }),
    exchanges: [{}, { isAwaited: true, status: 503, body: 'NO_ENDPOINT_FOUND', asked: false }],
  },
  {
    says: 'a check that is off takes nobody out',
    over,
    api: (place) =>
      group(
        [endpoint('one', place.targets[0]), endpoint('two', place.targets[1])],
        check({ target: place.checked, assertion: 'false' }, { enabled: false }),
      ),
    exchanges: [
      [{}, { status: 200, asked: { backend: 0 } }],
      [{}, { status: 200, asked: { backend: 1 } }],
      [{}, { status: 200, asked: { backend: 0 } }],
    ],
  },
  {
    says: 'a secondary endpoint stands in for a primary one that is down',
    over,
    api: (place) =>
      group([
        endpoint('one', place.targets[0], own({ target: place.checked, assertion: 'false' })),
        endpoint('two', place.targets[1], { secondary: true }),
      ]),
    exchanges: firstIsDown,
  },
  {
    says: 'an endpoint where nobody listens is down',
    over,
    api: (place) =>
      group([
        endpoint('one', place.targets[3], own({ target: '/health' })),
        endpoint('two', place.targets[1]),
      ]),
    exchanges: firstIsDown,
  },
  {
    says: 'an endpoint that answers badly several times is taken out without a check',
    over,
    api: ({ targets }) => group([endpoint('one', targets[0]), endpoint('two', targets[1])]),
    exchanges: [
      [{ backend: { status: 500 } }, { status: 500, asked: { backend: 0 } }],
      [{}, second],
      [{ backend: { status: 500 } }, { status: 500, asked: { backend: 0 } }],
      [{}, second],
      [{}, second],
      [{}, second],
    ],
  },
  {
    says: 'the last endpoint of a group is never taken out',
    over,
    api: ({ targets }) => group([endpoint('one', targets[0])]),
    backend: { status: 500 },
    exchanges: Array.from({ length: 5 }, () => [{}, { status: 500, asked: { backend: 0 } }] as const),
  },
];

/** Which endpoints are healthy enough for requests. */
export const aboutHealth: Subject = { name: 'health', rows, gateway: checking };
