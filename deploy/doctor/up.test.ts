import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePortOffset } from '../../test/kit/processes/up.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { doctorCommand } from '../commands/doctor.ts';
import { examineUp } from './up.ts';

test('doctor examines every part of up with the flags of up: addresses, offset and settings, before the first start too', async (t) => {
  const dataDir = join(tempDir(t), 'data');
  const portOffset = freePortOffset();
  const done = await examineUp({ dataDir, portOffset, set: ['gateway.workers=2'] });
  assert.deepEqual(
    done.map(({ process }) => process),
    ['control-plane', 'bridge', 'gateway', 'shipper'],
  );
  const failed = done.flatMap(({ findings }) => findings.filter(({ status }) => status === 'failed'));
  assert.deepEqual(failed, []);
  const portsOf = (all: typeof done, name: string) =>
    all.find(({ process }) => process === name)?.findings.find(({ check }) => check === 'ports');
  assert.match(
    portsOf(done, 'control-plane')?.found ?? '',
    new RegExp(`free: listen\\.port ${8083 + portOffset} on 127`),
  );
  assert.ok(!existsSync(dataDir));

  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(8082 + portOffset, '127.0.0.1', resolve));
  t.after(() => holder.close());
  const taken = await examineUp({ dataDir, portOffset, set: ['gateway.listen.host=127.0.0.1'] });
  assert.match(portsOf(taken, 'gateway')?.found ?? '', /in use by somebody else: listen\.port/);
  const slip = await examineUp({ dataDir, portOffset, set: ['gateway.wrokers=2'] });
  assert.deepEqual(
    slip.map(({ process, findings: [first] }) => `${process} ${first?.check} ${first?.status}`),
    ['up settings failed'],
  );
  assert.match(slip[0]?.findings[0]?.found ?? '', /gateway\.wrokers/);
});

test('doctor means up when it is named or an offset is given without a name', async () => {
  const asked: string[] = [];
  const doctors = new Map([['control-plane', async () => (asked.push('control-plane'), [])]]);
  const up = async () => (asked.push('up'), []);
  for (const args of [['up'], ['--port-offset', '300'], ['control-plane', '--port-offset', '300'], []])
    await doctorCommand(doctors, () => undefined, up).parseAsync(args, { from: 'user' });
  assert.deepEqual(asked, ['up', 'up', 'control-plane', 'control-plane']);
});
