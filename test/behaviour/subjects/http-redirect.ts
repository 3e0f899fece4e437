import { flow, step } from '../pieces.ts';
import type { Json, Row, Subject } from '../row.ts';

const redirects = (...rules: readonly Json[]): Json => ({
  flows: [flow('/', { request: [step('http-redirect', { rules })] })],
});

const rows: readonly Row[] = [
  {
    says: 'a path that a rule matches is sent elsewhere, without the backend',
    api: redirects({ path: '/old/(.*)', location: 'https://example.org/{#group[0]}', status: 307 }),
    exchanges: [
      { path: '/old/x' },
      { status: 307, headers: { location: 'https://example.org/x' }, body: '', asked: false },
    ],
  },
  {
    says: 'moved for good where no status is said',
    api: redirects({ path: '/old', location: '/new' }),
    exchanges: [{ path: '/old' }, { status: 301, headers: { location: '/new' }, asked: false }],
  },
  {
    says: 'a path that no rule matches goes on',
    api: redirects({ path: '/old', location: '/new' }),
    exchanges: [{ path: '/other' }, { status: 200, asked: { url: '/other' } }],
  },
  {
    says: 'response flows pass a redirect too',
    api: {
      flows: [
        flow('/', {
          request: [step('http-redirect', { rules: [{ path: '/old', location: '/new' }] })],
          response: [
            step('transform-headers', { addHeaders: [{ name: 'X-A', value: '{#response.status}' }] }),
          ],
        }),
      ],
    },
    exchanges: [{ path: '/old' }, { status: 301, headers: { 'x-a': '301' }, asked: false }],
  },
  {
    says: 'a location that is no URI is 500',
    api: redirects({ path: '/(.*)', location: "http://[{#request.headers['nope']}" }),
    exchanges: [{ path: '/old' }, { status: 500, asked: false }],
  },
];

/** What APIs do, about redirects that a policy answers. */
export const aboutHttpRedirect: Subject = { name: 'http-redirect', rows };
