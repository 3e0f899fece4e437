import { cached } from '../../pieces.ts';
import type { Row, Subject } from '../../row.ts';

const fresh = (body = 'one') => ({ status: 200, body, asked: [{}] }) as const;
const kept = (body = 'one') => ({ status: 200, body, asked: false }) as const;
const get = (headers: Readonly<Record<string, string>> = {}, path = '/') => ({ path, headers });

const rows: readonly Row[] = [
  ...[404, 500, 302].map((status) => ({
    says: `${status} is not kept`,
    api: cached(),
    backend: { status, headers: { location: '/x' } },
    exchanges: [
      [get(), { status, asked: [{}] }],
      [get(), { status, asked: [{}] }],
    ] as const,
  })),
  {
    says: 'responseCondition says what is kept',
    api: cached({ responseCondition: '{#upstreamResponse.status == 404}' }),
    backend: { status: 404 },
    exchanges: [
      [get(), { status: 404, asked: [{}] }],
      [get(), { status: 404, asked: false }],
    ],
  },
  {
    says: 'responseCondition reads headers; where it does not hold nothing is kept',
    api: cached({ responseCondition: "{#upstreamResponse.headers['x-keep'] != null}" }),
    exchanges: [
      [get(), { status: 200, asked: [{}] }],
      [get(), { status: 200, asked: [{}] }],
    ],
  },
  {
    says: 'an answer with the header that responseCondition wants is kept',
    api: cached({ responseCondition: "{#upstreamResponse.headers['x-keep'] != null}" }),
    backend: { headers: { 'x-keep': 'yes' } },
    exchanges: [
      [get(), { status: 200, asked: [{}] }],
      [get(), { status: 200, asked: false }],
    ],
  },
  {
    says: 'a responseCondition that fails keeps nothing',
    api: cached({ responseCondition: "{#upstreamResponse.headers['x-keep'][0] == 'yes'}" }),
    exchanges: [
      [get(), { status: 200, asked: [{}] }],
      [get(), { status: 200, asked: [{}] }],
    ],
  },
  ...(
    [
      ['a cookie', { headers: { 'set-cookie': 'a=1' } }],
      ['Vary: *', { headers: { vary: 'accept, *' } }],
      ['a part', { status: 206, headers: { 'content-range': 'bytes 0-2/9' } }],
      ['a content range', { headers: { 'content-range': 'bytes 0-2/9' } }],
      ['trailers', { headers: { trailer: 'x-sum', 'transfer-encoding': 'chunked' } }],
      ['an event stream', { headers: { 'content-type': 'text/event-stream' } }],
    ] as const
  ).map(([what, answer]) => ({
    says: `an answer with ${what} is not kept`,
    api: cached(),
    backend: { ...answer, body: 'one' },
    exchanges: [
      [get(), { body: 'one', asked: [{}] }],
      [get(), { body: 'one', asked: [{}] }],
    ] as const,
  })),
  {
    says: 'Cache-Control of an answer is not asked',
    api: cached(),
    backend: { headers: { 'cache-control': 'no-store, private' } },
    exchanges: [
      [get(), { asked: [{}] }],
      [get(), { asked: false }],
    ],
  },
  ...(
    [
      ['no-store', { 'cache-control': 'no-store' }],
      ['private', { 'cache-control': 'max-age=60, private' }],
      ['no-cache', { 'cache-control': 'no-cache="x-a"' }],
      ['s-maxage=0', { 'cache-control': 'max-age=60, s-maxage=0' }],
      ['max-age=0', { 'cache-control': 'max-age=0', expires: 'Fri, 01 Jan 2100 00:00:00 GMT' }],
      ['a max-age that is none', { 'cache-control': 'max-age=-1' }],
      ['an Expires of the past', { expires: 'Fri, 01 Jan 2016 00:00:00 GMT' }],
      ['an Expires that is none', { expires: '0' }],
      ['an Age past its life', { 'cache-control': 'max-age=60', age: '61' }],
    ] as const
  ).map(([what, headers]) => ({
    says: `with useResponseCacheHeaders ${what} is not kept`,
    api: cached({ useResponseCacheHeaders: true }),
    backend: { headers },
    exchanges: [
      [get(), { status: 200, asked: [{}] }],
      [get(), { status: 200, asked: [{}] }],
    ] as const,
  })),
  ...(
    [
      ['s-maxage', { 'cache-control': 'max-age=0, s-maxage=60' }],
      ['max-age', { 'cache-control': 'public, max-age=60', expires: '0' }],
      ['Expires', { expires: 'Fri, 01 Jan 2100 00:00:00 GMT' }],
      ['no header', {}],
    ] as const
  ).map(([what, headers]) => ({
    says: `with useResponseCacheHeaders ${what} lets keep`,
    api: cached({ useResponseCacheHeaders: true }),
    backend: { headers },
    exchanges: [
      [get(), { status: 200, asked: [{}] }],
      [get(), { status: 200, asked: false }],
    ] as const,
  })),

  {
    says: 'an answer that varies is kept for each value',
    api: cached(),
    backend: { headers: { vary: 'X-Lang, Accept' } },
    exchanges: [
      [get({ 'x-lang': 'de' }), { asked: [{}] }],
      [get({ 'x-lang': 'fr' }), { asked: [{}] }],
      [get({ 'x-lang': 'de' }), { asked: false }],
      [get({ 'x-lang': 'fr' }), { asked: false }],
      [get(), { asked: [{}] }],
      [get({ 'x-lang': 'de', accept: 'text/plain' }), { asked: [{}] }],
    ],
  },
  {
    says: 'an encoded answer is for who takes that encoding, whatever it says of Vary',
    api: cached(),
    backend: { headers: { 'content-encoding': 'gzip' } },
    exchanges: [
      [get({ 'accept-encoding': 'gzip' }), { asked: [{}] }],
      [get({ 'accept-encoding': 'identity' }), { asked: [{}] }],
      [get({ 'accept-encoding': 'gzip' }), { asked: false }],
    ],
  },
  ...(['range', 'if-range', 'if-match', 'if-unmodified-since'] as const).map((name) => ({
    says: `a request with ${name} passes by`,
    api: cached(),
    exchanges: [
      [get(), { asked: [{}] }],
      [get({ [name]: 'x' }), { asked: [{ headers: { [name]: 'x' } }] }],
      [get(), { asked: false }],
    ] as const,
  })),
  {
    says: 'If-None-Match is answered out of the cache',
    api: cached(),
    backend: {
      headers: { etag: 'W/"a,b"', 'content-type': 'text/plain', 'cache-control': 'max-age=1' },
      body: 'one',
    },
    exchanges: [
      [get({ 'if-none-match': '"x"' }), fresh()],
      [
        get({ 'if-none-match': '"x", "a,b"' }),
        {
          status: 304,
          body: '',
          asked: false,
          headers: { etag: 'W/"a,b"', 'content-type': undefined, 'cache-control': 'max-age=1' },
        },
      ],
      [get({ 'if-none-match': '*' }), { status: 304, asked: false }],
      [get({ 'if-none-match': '"a"' }), kept()],
      [get({ 'if-none-match': '"a"', 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }), kept()],
    ],
  },
  {
    says: 'If-Modified-Since is answered out of the cache',
    api: cached(),
    backend: { headers: { 'last-modified': 'Fri, 01 Jan 2016 00:00:00 GMT' }, body: 'one' },
    exchanges: [
      [get(), fresh()],
      [get({ 'if-modified-since': 'Fri, 01 Jan 2016 00:00:00 GMT' }), { status: 304, asked: false }],
      [get({ 'if-modified-since': 'Thu, 31 Dec 2015 23:59:59 GMT' }), kept()],
      [get({ 'if-modified-since': 'yesterday' }), kept()],
    ],
  },
  {
    says: 'a condition on what is not kept yet is the backend to judge; its 304 is not kept',
    api: cached(),
    backend: { status: 304, headers: { etag: '"a"' } },
    exchanges: [
      [get({ 'if-none-match': '"a"' }), { status: 304, asked: [{ headers: { 'if-none-match': '"a"' } }] }],
      [get({ 'if-none-match': '"a"' }), { status: 304, asked: [{}] }],
    ],
  },
];

export const aboutCachedAnswers: Subject = { name: 'cached answers', rows };
