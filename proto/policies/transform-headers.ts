import { z } from 'zod';

import { headerNameSchema, headersPerPlaceMax } from '../model/head-text.ts';
import { headersToSet } from './header-to-set.ts';
import { definePolicy } from './policy-schema.ts';
import { scopeOfVersion2 } from './scope.ts';

/** Removes, keeps and sets headers. */
export const transformHeaders = definePolicy({
  id: 'transform-headers',
  title: 'Transform headers',
  summary: 'Removes, keeps and sets headers of requests and answers.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      removeHeaders: z.array(headerNameSchema).max(headersPerPlaceMax).default([]),
      whitelistHeaders: z.array(headerNameSchema).max(headersPerPlaceMax).default([]),
      addHeaders: headersToSet,
      appendHeaders: headersToSet,
    }),
  errors: {
    TRANSFORM_HEADERS_FAILURE: { status: 500, message: 'The headers cannot be transformed' },
  },
  docs: 'Order: `addHeaders`, which replaces a header of the same name, then `appendHeaders`, which adds a line and leaves those that are there, then `removeHeaders`, then `whitelistHeaders` (when not empty, every other header goes, also one that was just set). Under the execution mode `v3` of version 2 headers are removed first and set then. A value whose expression comes to nothing leaves it as it is, one that fails ends the request with 500, under `v3` it leaves the header as it is. A value that an expression brings and that is not printable ASCII fails as well, unlike in the reference, which sends bytes that readers guess differently; `T(java.net.URLEncoder).encode(...)` makes one that passes. Framing headers belong to the engine and are regenerated.',
  example: () => ({
    about: 'The backend learns which API was called and not by what; callers do not learn what it runs on.',
    request: [
      {
        policy: 'transform-headers',
        configuration: {
          removeHeaders: ['User-Agent'],
          addHeaders: [{ name: 'X-Api', value: '{#api.name}' }],
        },
      },
    ],
    response: [{ policy: 'transform-headers', configuration: { removeHeaders: ['Server'] } }],
    backend: { '/orders': { headers: { Server: 'Backend/1.0' }, body: 'none' } },
    calls: [
      {
        request: { path: '/orders', headers: { 'User-Agent': 'a-browser' } },
        received: { headers: { 'X-Api': 'Transform headers', 'User-Agent': null } },
        answer: { headers: { Server: null }, body: 'none' },
      },
    ],
  }),
});
