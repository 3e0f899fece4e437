import assert from 'node:assert/strict';
import type { ServerHttp2Session } from 'node:http2';
import { test } from 'node:test';

import { startHttp2Backend } from '../../test/kit/engine/http2.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';

const over = (http: object): Record<string, unknown> => ({
  endpointGroups: [
    {
      name: 'default-group',
      type: 'http-proxy',
      sharedConfiguration: { http },
      endpoints: [],
    },
  ],
});

test('an endpoint with version HTTP_2 is spoken to in HTTP/2, as its settings say', async (t) => {
  const sessions: ServerHttp2Session[] = [];
  const held: (() => void)[] = [];
  const backend = await startHttp2Backend(t, (stream, headers) => {
    if (stream.session !== undefined && !sessions.includes(stream.session as ServerHttp2Session))
      sessions.push(stream.session as ServerHttp2Session);
    const answer = (): void => {
      stream.respond({ ':status': 200 });
      stream.end(String(headers[':path']));
    };
    if (headers[':path'] === '/wait') held.push(answer);
    else answer();
  });
  const target = `http://127.0.0.1:${backend.port}`;
  const definition = (id: string, http: object): Record<string, unknown> => {
    const api = apiDefinition(id, target, over(http));
    const [group] = api['endpointGroups'] as { endpoints: object[] }[];
    group?.endpoints.push({ name: 'default', type: 'http-proxy', configuration: { target } });
    return api;
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      plain: definition('plain', { version: 'HTTP_2', clearTextUpgrade: true }),
      sized: definition('sized', {
        version: 'HTTP_2',
        http2MultiplexingLimit: 1,
        http2ConnectionWindowSize: 1_000_000,
        http2StreamWindowSize: 100_000,
        http2MaxFrameSize: 20_000,
      }),
    },
  });
  assert.equal((await gateway.call('/plain/a')).text, '/a');
  assert.deepEqual(
    [sessions[0]?.remoteSettings.initialWindowSize, sessions[0]?.remoteSettings.maxFrameSize],
    [65_535, 16_384],
  );
  assert.equal((await gateway.call('/sized/b')).text, '/b');
  const sized = sessions[1];
  assert.deepEqual(
    [sized?.remoteSettings.initialWindowSize, sized?.remoteSettings.maxFrameSize],
    [100_000, 20_000],
  );
  await eventually(() => (sized?.state.remoteWindowSize ?? 0) > 900_000);
  // One request on a connection at a time.
  const waiting = [gateway.call('/sized/wait'), gateway.call('/sized/wait')];
  await eventually(() => held.length === 2);
  assert.equal(sessions.length, 3);
  for (const answer of held) answer();
  await Promise.all(waiting);
});
