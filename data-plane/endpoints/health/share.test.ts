import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  endpointsOf,
  everySecond,
  groupOf,
  startCheckedBackend,
  startCheckingGateway,
} from '../../../test/kit/gateway/endpoints/checked.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

interface Shown {
  readonly data: readonly {
    readonly endpoint: string;
    readonly checkedAt?: string;
    readonly problem?: string;
  }[];
}

test('an assertion reads at most 64 KiB of an answer; a longer one is a failure that says so', async (t) => {
  const backend = await startCheckedBackend(t, 'a');
  const services = everySecond({ assertion: '{#response.content.length() > 0}', failureThreshold: 1 });
  const api = apiDefinition('api', '', groupOf(endpointsOf([backend]), { services }));
  const gateway = await startCheckingGateway(t, { api });
  backend.answer = 'x'.repeat(65_536);
  await gateway.tick([backend], 'a UP');
  backend.answer = 'x'.repeat(65_537);
  await gateway.tick([backend], 'a DOWN');
  const { data } = (await (await fetch(`${gateway.nodeApi}/endpoints`)).json()) as Shown;
  assert.equal(data[0]?.problem, 'the assertion failed: it reads at most 65536 bytes of an answer');
});

test('assertions of one API take no more than their share of the process: its checks are put off, told once, and others are checked', async (t) => {
  const dear = await startCheckedBackend(t, 'dear');
  const other = await startCheckedBackend(t, 'other');
  dear.answer = `<o>${'<a/>'.repeat(7_000)}</o>`;
  const count = 30;
  const endpoints = Array.from({ length: count }, (_, at) => ({
    name: `e${at}`,
    type: 'http-proxy',
    configuration: { target: dear.url },
  }));
  const assertion = "{#xpath(#response.content, 'count(//*)', 'number') > 0}";
  // Time stands still but for what work takes.
  const clock = createFakeClock();
  const measuring = { ...clock, monotonicMs: () => performance.now() };
  const gateway = await startLocalGateway(t, {
    apis: {
      dear: apiDefinition('dear', '', groupOf(endpoints, { services: everySecond({ assertion }) })),
      other: apiDefinition('other', '', groupOf(endpointsOf([other]), { services: everySecond() })),
    },
    clock: measuring,
    config: { healthCheck: { jitterMsMax: 0 } },
  });
  const checked = async (): Promise<readonly string[]> => {
    const { data } = (await (await fetch(`${gateway.nodeApi}/endpoints`)).json()) as Shown;
    return data.filter(({ checkedAt }) => checkedAt !== undefined).map(({ endpoint }) => endpoint);
  };
  const told = (): number => gateway.logged.filter((line) => line.includes('checks are put off')).length;
  await clock.advance(1_000);
  await eventually(() => told() === 1);
  await eventually(async () => (await checked()).includes('other'));
  const soFar = other.checks.length;
  await clock.advance(1_000);
  await eventually(() => other.checks.length > soFar);
  const names = await checked();
  assert.ok(names.length > 1 && names.length < count / 2, names.join(' '));
  assert.equal(told(), 1);
});
