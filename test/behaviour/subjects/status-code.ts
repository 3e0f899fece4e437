import { flow, step } from '../pieces.ts';
import type { Json, Row, Subject } from '../row.ts';

const mapped = (...all: readonly (readonly [number, number])[]): Json => ({
  flows: [
    flow('/', {
      response: [
        step('status-code', {
          statusMappings: all.map(([inputStatusCode, outputStatusCode]) => ({
            inputStatusCode,
            outputStatusCode,
          })),
        }),
      ],
    }),
  ],
});

const rows: readonly Row[] = [
  {
    says: 'a mapped status becomes the other one, headers and body stay',
    api: mapped([404, 200]),
    backend: { status: 404, headers: { 'x-a': '1' }, body: 'gone' },
    exchanges: [{}, { status: 200, headers: { 'x-a': '1' }, body: 'gone' }],
  },
  {
    says: 'a status that is not mapped stays',
    api: mapped([404, 200]),
    backend: { status: 403, body: 'no' },
    exchanges: [{}, { status: 403, body: 'no' }],
  },
  {
    says: 'of two mappings the last one counts',
    api: mapped([500, 501], [500, 503]),
    backend: { status: 500 },
    exchanges: [{}, { status: 503 }],
  },
  {
    says: 'a status that may have no body takes none along',
    api: mapped([200, 204]),
    backend: { status: 200, body: 'dropped' },
    exchanges: [
      [{}, { status: 204, body: '' }],
      [{}, { status: 204, body: '' }],
    ],
  },
];

/** What APIs do, about statuses that are mapped. */
export const aboutStatusCode: Subject = { name: 'status-code', rows };
