import { z } from 'zod';

import { template } from '../expression/template.ts';
import { answerCondition } from './answer-condition.ts';
import { definePolicy } from './policy-schema.ts';
import { resourceNameSchema } from './resource-name.ts';

const textCharsMax = 4_096;
const secondsMax = 31_536_000;

/** Keeps answers of the backend, and gives them in its place. */
export const cache = definePolicy({
  id: 'cache',
  title: 'Cache',
  summary: 'Keeps answers of the backend in a cache, and gives them in its place.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      cacheName: resourceNameSchema.min(
        1,
        'is required: the name of a resource of the API that serves a cache',
      ),
      key: template(z.string().max(textCharsMax)).prefault(''),
      timeToLiveSeconds: z.int().min(0).max(secondsMax).default(600).meta({ unit: 's' }),
      methods: z
        .array(z.enum(['GET', 'OPTIONS', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE']))
        .max(8)
        .default(['GET', 'OPTIONS', 'HEAD']),
      responseCondition: answerCondition('#upstreamResponse', ['upstreamResponse']).prefault(''),
      /** Whether what an answer says of its life counts. */
      useResponseCacheHeaders: z.boolean().default(false),
      scope: z.enum(['APPLICATION', 'API']).default('APPLICATION'),
      allowRefreshAction: z.boolean().default(true),
    }),
  errors: {},
  uses: [{ field: 'cacheName', serves: 'cache' }],
  docs: [
    'Stands around the call of the backend: the steps of the request and of the answer run for an answer that was kept as for any other. What the backend would see decides which one that is.',
    '**Key**: environment, API, resource, method (HEAD is answered with what GET has kept), scheme and `Host`, context path, path as it goes to the backend (where two spellings are one there, they are one here), query with its names in order (of one name the order stays), where `dynamic-routing` has led it, `Authorization` and `Cookie` as the backend would get them, headers by which frameworks take a request for another one (`X-HTTP-Method-Override`, `X-Original-URL`, `X-Rewrite-URL`, `X-Host`, `X-Forwarded-Host`, `-Proto`, `-Port`, `-Prefix` and their like) or find out who calls (`X-Api-Key`, `X-Auth-Token` ...), and `key`.',
    'With `scope` `APPLICATION` also plan, application and subscription, so that no subscription gets what another one has. Callers that a backend tells apart by a token share nothing; where they may, the token is not passed on (`propagateAuthHeader: false` of the plan, or `transform-headers` before). A `key` that fails or comes to nothing leaves the cache out.',
    "**Kept** are answers of `methods` of which `responseCondition` holds (`{#upstreamResponse.status == 200}`; default: any 2xx; one that fails does not hold), copied while they pass to the client, once they have come whole. Never: 206 and 304, answers with `Set-Cookie`, trailers, `Content-Range` or `Vary: *`, event streams, gRPC, a body that ends with its connection, what is larger than the gateway's `cache.entryBytesMax`, answers to HEAD.",
    '**Life**: the smaller of `timeToLiveSeconds` and that of the resource, where 0 says nothing; nowhere said: 30 days. `Cache-Control` of an answer is not asked, as in the reference, unless `useResponseCacheHeaders`: then `s-maxage`, else `max-age`, else `Expires` (less `Age`) shorten it, and `no-store`, `no-cache` and `private` are not kept (the reference keeps them). A write (POST, PUT ...) empties nothing.',
    '**Vary**: of each value of the headers that it names an answer of its own is kept, 16 names at most. An answer with `Content-Encoding` varies by `Accept-Encoding`, whether it says so or not.',
    '**Asked**: a request with `Range`, `If-Range`, `If-Match`, `If-Unmodified-Since`, or for an upgrade passes by; one with a body passes by unless `key` is written, which has to tell bodies apart. `If-None-Match` and `If-Modified-Since` are answered with 304 out of the cache where they apply, and passed on where nothing is kept. An answer out of the cache says its `Age`.',
    '**Control**: the header `X-Gravitee-Cache`, else the query parameter `cache`: `BY_PASS` neither looks nor keeps, `REFRESH` (with `allowRefreshAction`) does not look, in any case. Whichever was read does not reach the backend, whatever it says.',
    'Of several requests for what is not kept yet one goes to the backend, in each process; the others wait for it, at most `cache.fetchWaitMsMax` of the gateway, and go themselves when its answer is not kept; for 10 s then nobody waits for that key. A cache that does not answer in time (`timeout` of `cache-redis`) is left out: the backend is asked, nothing is kept, the record is warned (`CACHE_UNAVAILABLE`).',
  ].join('\n\n'),
  example: () => ({
    about: 'The backend is asked once a minute, whoever calls.',
    request: [
      { policy: 'cache', configuration: { cacheName: 'answers', timeToLiveSeconds: 60, scope: 'API' } },
    ],
    definition: {
      resources: [{ name: 'answers', type: 'cache', configuration: { maxEntriesLocalHeap: 1_000 } }],
    },
    calls: [
      { request: { path: '/rates' }, received: { path: '/rates' }, answer: { body: 'hello' } },
      { request: { path: '/rates' }, received: 'nothing', answer: { headers: { Age: '…' }, body: 'hello' } },
      {
        request: { path: '/rates', headers: { 'X-Gravitee-Cache': 'BY_PASS' } },
        received: { path: '/rates', headers: { 'X-Gravitee-Cache': null } },
        answer: { body: 'hello' },
      },
    ],
  }),
});
