import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { freePort } from '../../../test/kit/processes/processes.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { openPeer, type Peer, startBackend, turns } from '../../../test/kit/engine/raw-peer.ts';

/** The abort table through the whole gateway: what the client is told, and what the access record says. */

const get = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const halfBody = 'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf';
const halfAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';

interface Stage {
  readonly client: Peer;
  readonly backend: Peer;
  /** The only record, once it is there. */
  record(): Promise<Record<string, unknown>>;
}

/** A gateway with one API, in front of a backend that the test plays; brought to where the request has arrived. */
// oxlint-disable-next-line max-params -- a test's own shorthand
async function startStage(t: TestContext, request: string, answer = ''): Promise<Stage> {
  const backend = await startBackend(t);
  const { open } = await startRecorded(t, `http://127.0.0.1:${backend.port}`);
  const { client, record } = await open(request);
  const peer = await backend.next();
  await peer.until(request.endsWith('half') ? 'half' : '\r\n\r\n');
  if (answer !== '') {
    peer.write(answer);
    await client.until('half');
  }
  await turns();
  return { client, backend: peer, record };
}

// oxlint-disable-next-line max-params -- a test's own shorthand
async function startRecorded(t: TestContext, target: string, http: object = {}) {
  const dataDir = join(tempDir(t), 'data');
  const definition = apiDefinition('a', target);
  const [group] = definition['endpointGroups'] as object[];
  const sharedConfiguration = { http: { readTimeout: 10_000, ...http } };
  const gateway = await startLocalGateway(t, {
    apis: { a: { ...definition, endpointGroups: [{ ...group, sharedConfiguration }] } },
    config: { dataDir, report: { enabled: true }, request: { answerMsMax: 1_000 }, closeMsMax: 500 },
  });
  const records = (): Promise<readonly Record<string, unknown>[]> => accessRecords(dataDir);
  return {
    async open(request: string) {
      const client = await openPeer(t, { port: gateway.port, from: '127.0.0.1' }, request);
      return {
        client,
        async record() {
          await eventually(async () => (await records()).length > 0);
          await gateway.close();
          const [only, ...others] = await records();
          assert.equal(others.length, 0, 'one exchange, one record');
          return only ?? assert.fail();
        },
      };
    },
  };
}

/** What a record says of an end. */
function endIn(record: Record<string, unknown>): readonly unknown[] {
  return [
    record['status'],
    record['outcome'],
    record['error_key'],
    record['request_bytes'],
    record['response_bytes'],
  ];
}

describe('a client that leaves is recorded', () => {
  for (const how of ['fin', 'reset'] as const) {
    const during = {
      request: 'CLIENT_ABORTED_DURING_REQUEST_ERROR',
      response: 'CLIENT_ABORTED_DURING_RESPONSE_ERROR',
    };
    for (const [when, request, answer, end] of [
      ['with half of its body sent', halfBody, '', [0, 'clientAborted', during.request, 4, 0]],
      ['while it waits for the answer', get, '', [0, 'clientAborted', during.request, 0, 0]],
      ['with half of the answer received', get, halfAnswer, [200, 'clientAborted', during.response, 0, 4]],
    ] as const) {
      test(`by ${how}, ${when}`, async (t) => {
        const { client, backend, record } = await startStage(t, request, answer);
        client.leave(how);
        await backend.ended;
        assert.deepEqual(endIn(await record()), end);
      });
    }
  }
});

describe('an upstream that leaves', () => {
  for (const [how, key] of [
    ['fin', 'GATEWAY_CLIENT_CONNECTION_CLOSED'],
    ['reset', 'GATEWAY_CLIENT_CONNECTION_RESET'],
  ] as const) {
    for (const [when, request, bytes] of [
      ['with half of the request body received', halfBody, 4],
      ['instead of an answer', get, 0],
    ] as const) {
      test(`by ${how}, ${when}: 502 ${key}`, async (t) => {
        const { client, backend, record } = await startStage(t, request);
        backend.leave(how);
        await client.until('Bad Gateway');
        assert.match(client.text, /^HTTP\/1\.1 502 /);
        assert.equal(await client.ended, 'fin');
        const [status, outcome, errorKey, requestBytes] = endIn(await record());
        assert.deepEqual([status, outcome, errorKey, requestBytes], [502, 'complete', key, bytes]);
      });
    }

    test(`by ${how}, in the middle of its answer: the client is reset, and the record says so`, async (t) => {
      const { client, backend, record } = await startStage(t, get, halfAnswer);
      backend.leave(how);
      assert.equal(await client.ended, 'reset');
      assert.deepEqual(endIn(await record()), [
        200,
        'upstreamAborted',
        'GATEWAY_CLIENT_CONNECTION_ERROR',
        0,
        4,
      ]);
    });
  }

  test('or is not there: 502 GATEWAY_CLIENT_CONNECTION_REFUSED', async (t) => {
    const { open } = await startRecorded(t, `http://127.0.0.1:${await freePort()}`);
    const { client, record } = await open(get);
    await client.until('Bad Gateway');
    const [status, outcome, errorKey] = endIn(await record());
    assert.deepEqual([status, outcome, errorKey], [502, 'complete', 'GATEWAY_CLIENT_CONNECTION_REFUSED']);
  });
});

describe('an upstream that is silent', () => {
  for (const [http, key] of [
    [{ readTimeout: 200 }, 'GATEWAY_CLIENT_READ_TIMEOUT'],
    [{ readTimeout: 20_000 }, 'REQUEST_TIMEOUT'],
  ] as const) {
    test(`after a readTimeout of ${http.readTimeout} ms: 504 ${key}`, async (t) => {
      const backend = await startBackend(t);
      const { open } = await startRecorded(t, `http://127.0.0.1:${backend.port}`, http);
      const { client, record } = await open(get);
      const peer = await backend.next();
      assert.equal(await client.ended, 'fin');
      assert.match(client.text, /^HTTP\/1\.1 504 /);
      // Nobody waits for it any more, so it is let go.
      await peer.ended;
      const [status, outcome, errorKey] = endIn(await record());
      assert.deepEqual([status, outcome, errorKey], [504, 'complete', key]);
    });
  }

  test('in the middle of its answer: the client is reset, and the record says so', async (t) => {
    const backend = await startBackend(t);
    const { open } = await startRecorded(t, `http://127.0.0.1:${backend.port}`, { idleTimeout: 200 });
    const { client, record } = await open(get);
    const peer = await backend.next();
    peer.write(halfAnswer);
    assert.equal(await client.ended, 'reset');
    assert.deepEqual(endIn(await record()), [
      200,
      'upstreamAborted',
      'GATEWAY_CLIENT_CONNECTION_ERROR',
      0,
      4,
    ]);
  });
});
