import type { ScriptFacts } from '../../../data-plane/script/facts.ts';

/** What a script is told of a request, as JSON. */
export function factsJson(facts: Partial<ScriptFacts> = {}): string {
  const whole: ScriptFacts = {
    phase: 'request',
    request: {
      id: 'r',
      transactionId: 't',
      clientIdentifier: '',
      uri: '/a',
      host: 'h',
      contextPath: '/a',
      pathInfo: '',
      path: '/a',
      method: 'GET',
      scheme: 'http',
      version: 'HTTP_1_1',
      timestamp: 1,
      remoteAddress: '192.0.2.7',
      localAddress: '192.0.2.1',
      query: '',
      headers: [],
      pathParameters: [],
    },
    response: null,
    attributes: [],
    properties: [],
    dictionaries: [],
    content: null,
    contentAsBase64: null,
    overrides: false,
    ...facts,
  };
  return JSON.stringify(whole);
}
