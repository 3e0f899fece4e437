import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createOutbound } from '../../../proto/process/outbound/outbound.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';
import type { StepPolicyId } from '../index.ts';

/** Where a name leads that is this machine at first, and then what nobody may ask, in several spellings. */
const answers = ['127.0.0.1', '169.254.169.254', '::ffff:169.254.169.254', '127.0.0.2', 'fe80::1'];

/** A server, a client as the gateway has for policies, and what is asked there. */
async function scene(t: TestContext) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('connection', 'close').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const left = [...answers];
  const outbound = createOutbound({
    profile: 'local',
    allow: ['127.0.0.1'],
    connectMsMax: 2_000,
    responseBytesMax: 1_000_000,
    resolve: async () =>
      left.splice(0, 1).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  });
  t.after(() => outbound.close());
  return { outbound, asked, left, url: `http://rebinding.example:${(server.address() as AddressInfo).port}` };
}

const rows: readonly {
  readonly id: StepPolicyId;
  readonly configuration: (url: string) => object;
  readonly phase?: 'response';
  readonly failure: string;
}[] = [
  {
    id: 'policy-http-callout',
    configuration: (url) => ({ url: `${url}/x` }),
    failure: 'CALLOUT_HTTP_ERROR',
  },
  {
    id: 'traffic-shadowing',
    configuration: (url) => ({ target: url }),
    failure: 'TRAFFIC_SHADOWING_FAILED',
  },
  {
    id: 'metrics-reporter',
    configuration: (url) => ({ url: `${url}/x`, body: 'b' }),
    phase: 'response',
    failure: 'METRICS_REPORTER_FAILED',
  },
];

for (const { id, configuration, phase = 'request', failure } of rows)
  test(`${id}: a name that leads elsewhere the next time is judged by the address that is dialled`, async (t) => {
    const { outbound, asked, left, url } = await scene(t);
    const step = startPolicy(id, configuration(url), { host: { outbound }, place: { phase } });
    const run = async (): Promise<KitCall> => {
      const call = step.call();
      await call.pass();
      await call.answer({ body: 'answer' });
      call.end();
      return call;
    };
    const first = await run();
    await eventually(() => asked.length === 1);
    assert.deepEqual(first.warnings, []);
    for (const address of answers.slice(1)) {
      const call = await run();
      await eventually(() => call.warnings.length === 1);
      assert.deepEqual(call.warnings, [failure], address);
    }
    assert.deepEqual(
      [asked.length, left.length],
      [1, 0],
      'each was looked up, and none but the first dialled',
    );
  });
