import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { antPath } from './ant-path.ts';

const methods = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'] as const;

const rules = z
  .array(
    z.strictObject({
      pattern: antPath,
      methods: z.array(z.enum(methods)).max(methods.length).default([]),
    }),
  )
  .max(500)
  .default([]);

/** Lets requests to some paths and methods pass, and no others. */
export const resourceFiltering = definePolicy({
  id: 'resource-filtering',
  title: 'Resource filtering',
  summary: 'Lets requests pass or refuses them by path and method.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      whitelist: rules,
      blacklist: rules,
      /** Whether the white list is asked about the path as it is decoded once. */
      normalizeRequestPath: z.boolean().default(false),
      /** ... with `%2F` as a slash. */
      decodeEncodedSlash: z.boolean().default(false),
    }),
  errors: {
    RESOURCE_FILTERING_FORBIDDEN: { status: 403, message: 'This resource is not to be used' },
    RESOURCE_FILTERING_METHOD_NOT_ALLOWED: {
      status: 405,
      message: 'This method is not to be used on this resource',
    },
  },
  docs: 'Where `whitelist` has rules, one of them has to take the request; then none of `blacklist` may. A rule is a pattern (`*` is any characters of a segment, `?` one, `**` any number of segments, `{name}` and `{name:regex}` as in Spring), tried against the whole path and against the path below the context path, and methods, none of which means all.\n\nThe refusal is 405 where a white rule takes the path and names other methods, or a black rule names methods; else 403.\n\nBackends read one path in several ways: escapes, double escapes, `;` parameters, dot segments, doubled slashes, on Windows dots and blanks at the end of a name (`/admin./x`, `/admin%20/x`), `%u0061` and `name::$DATA`. The black list refuses what meets it in any of these readings, in any case of its letters and with a slash at the end; the white list lets pass what it takes in all of them, in the case that it is written in.\n\nWith `normalizeRequestPath` the white list is asked about the path decoded once, doubled slashes merged and dot segments resolved, and no more about how it was sent; where it has an escaped slash, both about `%2F` and about a slash, with `decodeEncodedSlash` about the slash alone.',
  example: () => ({
    about:
      'Orders may be read by anybody, and nobody comes to what is below /orders/internal, however he spells it.',
    request: [
      {
        policy: 'resource-filtering',
        configuration: {
          whitelist: [{ pattern: '/orders/**', methods: ['GET', 'HEAD'] }],
          blacklist: [{ pattern: '/orders/internal/**' }],
        },
      },
    ],
    calls: [
      { request: { path: '/orders/7' }, received: { path: '/orders/7' }, answer: { body: 'hello' } },
      {
        request: { path: '/orders/7', method: 'DELETE' },
        received: 'nothing',
        answer: { status: 405, headers: { Allow: 'GET, HEAD' } },
      },
      {
        request: { path: '/orders/x%2f..%2f%2569nternal;v=1/7' },
        received: 'nothing',
        answer: { status: 403 },
      },
      { request: { path: '/users' }, received: 'nothing', answer: { status: 403 } },
    ],
  }),
});
