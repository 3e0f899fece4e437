import { z } from 'zod';

import { apiLimits } from '../model/api-limits.ts';
import { proxySchema } from '../model/api-tls.ts';
import { elsewhere, milliseconds, off, section } from '../model/sections.ts';

const connections = [
  'keepAlive',
  'keepAliveTimeout',
  'idleTimeout',
  'pipelining',
  'useCompression',
  'maxConcurrentConnections',
];
const http2 = [
  'clearTextUpgrade',
  'http2MultiplexingLimit',
  'http2ConnectionWindowSize',
  'http2StreamWindowSize',
  'http2MaxFrameSize',
];

/** Whom a resource believes that it speaks to. */
export const sslOptions = section({
  hostnameVerifier: z
    .boolean()
    .default(true)
    .refine((verifies) => verifies, 'must be true: whoever answers is believed'),
  trustAll: z
    .boolean()
    .default(false)
    .refine(
      (trusts) => !trusts,
      'must be false: whoever answers is believed; allowed: the setting outbound.caFile of the gateway',
    ),
  trustStore: z.preprocess(
    withoutEmptyType,
    off('a type that is empty, and the setting outbound.caFile of the gateway'),
  ),
  keyStore: z.preprocess(withoutEmptyType, off('a type that is empty')),
}).prefault({});

/** How a resource calls somebody: options of the reference's client as far as the one client for calls of definitions has them. */
export const callOptions = {
  http: section({
    connectTimeout: milliseconds(apiLimits.timeoutMsMax, 3_000),
    readTimeout: milliseconds(apiLimits.timeoutMsMax, 10_000),
    version: z
      .enum(['HTTP_1_1'], { error: () => 'is not supported by this version; allowed: HTTP_1_1' })
      .default('HTTP_1_1'),
    followRedirects: off('false'),
    // Of the one client, whose connections all definitions share.
    ...Object.fromEntries([...connections, ...http2].map((name) => [name, elsewhere()])),
  }).prefault({}),
  // The way is that of all calls of the gateway (`outbound.proxy`), whatever stands here.
  proxy: proxySchema.prefault({}).refine(({ enabled, useSystemProxy }) => !enabled || useSystemProxy, {
    path: ['enabled'],
    message:
      'is not supported by this version; allowed: useSystemProxy, which is the setting outbound.proxy of the gateway',
  }),
  ssl: sslOptions,
};

/** As consoles write a store that is none. */
function withoutEmptyType(store: unknown): unknown {
  return typeof store === 'object' &&
    store !== null &&
    'type' in store &&
    (store.type === '' || store.type === 'NONE')
    ? undefined
    : store;
}
