import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowOf } from './flow-words.ts';

test('a flow in words of version 2 is drawn as the one of version 4 that gateways make of it', () => {
  const step = { policy: 'latency', configuration: { time: 1 } };
  assert.deepEqual(
    flowOf({
      name: 'all',
      'path-operator': { path: '/orders', operator: 'EQUALS' },
      methods: ['GET'],
      condition: '{#request.ssl}',
      consumers: [{ consumerType: 'TAG', consumerId: 'eu' }],
      pre: [step],
      post: [],
    }),
    {
      name: 'all',
      enabled: true,
      selectors: [
        { type: 'HTTP', path: '/orders', pathOperator: 'EQUALS', methods: ['GET'] },
        { type: 'CONDITION', condition: '{#request.ssl}' },
      ],
      request: [step],
      response: [],
      tags: ['eu'],
    },
  );
  assert.deepEqual(flowOf({ enabled: false, methods: [] }), {
    enabled: false,
    selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH', methods: [] }],
    request: [],
    response: [],
  });
});

test('one of version 4 stays what it is, whatever the case of its words; what cannot be drawn is left out of its lists', () => {
  assert.deepEqual(
    flowOf({
      selectors: [{ type: 'http', path: '/a', pathOperator: 'starts-with' }],
      request: [1, { policy: 'mock' }],
    }),
    {
      selectors: [{ type: 'HTTP', path: '/a', pathOperator: 'STARTS_WITH', methods: [] }],
      request: [{ policy: 'mock' }],
      response: [],
    },
  );
  assert.deepEqual(flowOf({ id: 'f', selectors: [], tags: [] }), {
    id: 'f',
    selectors: [],
    tags: [],
    request: [],
    response: [],
  });
});
