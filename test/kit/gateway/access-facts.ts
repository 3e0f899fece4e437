import type { AccessFacts } from '../../../data-plane/report/facts.ts';

/** What is known of an ordinary request, with what a test cares about put over it. */
export function factsOf(over: Partial<AccessFacts> = {}): AccessFacts {
  return {
    timestampMs: 1_800_000_000_000,
    requestId: '0198c9d4-5f4e-7d7a-9c3e-1f2a3b4c5d6e',
    transactionId: '0198c9d4-5f4e-7d7a-9c3e-1f2a3b4c5d6e',
    keyHash8: '0a1b2c3d',
    method: 'GET',
    host: 'api.example.com',
    uri: '/orders/v1/items?limit=10',
    pathInfo: '/items',
    mappedPath: undefined,
    status: 200,
    requestBytes: 0,
    responseBytes: 300,
    totalUs: 2_345,
    endpoint: 'http://orders.internal:8080/items',
    endpointUs: 2_001,
    endpointConnectUs: 0,
    endpointTtfbUs: 1_900,
    remoteAddress: '192.0.2.7',
    localAddress: '192.0.2.1',
    userAgent: 'curl/8.5.0',
    errorKey: undefined,
    errorMessage: undefined,
    warnings: undefined,
    customMetrics: undefined,
    steps: undefined,
    outcome: 'complete',
    ...over,
  };
}
