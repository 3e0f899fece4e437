import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startNode } from '../../test/kit/processes/node.ts';
import { freePortOffset } from '../../test/kit/processes/up.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { doctorCommand } from '../commands/doctor.ts';
import { customerDoctors } from './doctors.ts';
import { platformDoctors } from './platform-doctors.ts';
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

test('whoever examines a process alone on the folder of an up that runs is told how to examine that', async (t) => {
  const dataDir = tempDir(t);
  const port = await startNode(t, 'control-plane');
  const offset = port - 18_083;
  const found = async (name: string): Promise<object | undefined> => {
    const all = await (platformDoctors.get(name as never) ?? customerDoctors.get(name as never))?.({
      dataDir,
    });
    return all?.find(({ check }) => check === 'up');
  };
  assert.equal(await found('gateway'), undefined);
  const file = foldersOf(dataDir).addresses;
  const write = (controlPlane: number, bridge: number): void =>
    writeFileSync(
      file,
      JSON.stringify({
        controlPlaneNode: `http://127.0.0.1:${controlPlane}`,
        bridgeNode: `http://127.0.0.1:${bridge}`,
      }),
    );
  const finding = (flag: string): object => ({
    check: 'up',
    status: 'warning',
    found: `isthmus up runs on ${dataDir}; its parts are not what was examined here`,
    remedy: `isthmus doctor up${flag} examines every part of it, with the other flags that it was started with.`,
  });
  write(port, 18_093 + offset);
  for (const name of ['control-plane', 'bridge', 'gateway', 'shipper'])
    assert.deepEqual(await found(name), finding(` --port-offset ${offset}`));
  // Its ports were set one by one.
  write(port, 18_094 + offset);
  assert.deepEqual(await found('gateway'), finding(''));
  const own = (await examineUp({ dataDir, portOffset: freePortOffset() })).flatMap(
    ({ findings }) => findings,
  );
  assert.equal(
    own.find(({ check }) => check === 'up'),
    undefined,
  );
  for (const away of [() => write(1, 11), () => writeFileSync(file, 'nonsense')]) {
    away();
    assert.match(JSON.stringify(await found('gateway')), /"ok","found":"isthmus up .* does not run"/);
  }
});

test('doctor means up when it is named or an offset is given without a name', async () => {
  const asked: string[] = [];
  const doctors = new Map([['control-plane', async () => (asked.push('control-plane'), [])]]);
  const up = async () => (asked.push('up'), []);
  for (const args of [['up'], ['--port-offset', '300'], ['control-plane', '--port-offset', '300'], []])
    await doctorCommand(doctors, () => undefined, up).parseAsync(args, { from: 'user' });
  assert.deepEqual(asked, ['up', 'up', 'control-plane', 'control-plane']);
});
