import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../proto/faults/fault.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { doctorCommand } from '../commands/doctor.ts';
import { examine } from './doctor.ts';
import { customerDoctors } from './doctors.ts';
import { platformChecks } from './platform.ts';

test('what a finding quotes shows no password and no key', async () => {
  const url = 'https://u:hunter2@h/?apikey=hunter2';
  const check = {
    name: 'bridge',
    needs: [],
    examine: () =>
      Promise.resolve({ status: 'failed' as const, found: `${url} is away`, remedy: `look at ${url}` }),
  };
  const failing = {
    ...check,
    examine: () =>
      Promise.reject(new Fault('outbound.unreachable', { detail: url, internal: url, hint: url })),
  };
  const findings = await examine({}, [check, failing]);
  assert.equal(findings.length, 2);
  assert.doesNotMatch(JSON.stringify(findings), /hunter2/);
  assert.match(findings[0]?.found ?? '', /^https:\/\/u:\*\*\*@h\/\?apikey=\*\*\* is away$/);
});

test('a store that takes connections and says nothing ends its check at the bound, and what is being checked is said before', async (t) => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const { port } = mute.address() as AddressInfo;
  const dataDir = tempDir(t);
  const any = { port: 0 };
  const database = { url: `postgresql://isthmus@127.0.0.1:${port}/isthmus` };
  const settings = { dataDir, listen: any, admin: any, blobs: { dir: dataDir }, database };
  const load = () => ({ config: controlPlaneProcessSchema.parse(settings), sources: new Map() });
  const clock = createFakeClock();
  const said: string[] = [];
  const patience = { clock, onWait: (words: string) => void said.push(words) };
  const examined = examine({ process: 'control-plane', load }, platformChecks, patience);
  await eventually(() => sockets.size > 0);
  await clock.advance(14_999);
  assert.deepEqual(said, ['checking database: no answer yet, at most 15 s']);
  await clock.advance(1);
  const findings = Object.fromEntries((await examined).map((finding) => [finding.check, finding]));
  assert.equal(findings['database']?.status, 'failed');
  assert.equal(findings['database'].found, 'no answer within 15 s');
  assert.equal(findings['schema']?.status, 'skipped');
  assert.equal(findings['ports']?.status, 'ok', 'what does not need it is examined all the same');
});

test('a gateway of isthmus gateway --local is examined by the same flag, and needs no identity', async (t) => {
  const dataDir = join(tempDir(t), 'data');
  const local = tempDir(t);
  writeFileSync(join(local, 'a.yaml'), 'id: a\nname: a\nstate: STOPPED\n');
  const flags = { dataDir, local, set: ['listen.port=0', 'admin.port=0'] };
  const findings = (await customerDoctors.get('gateway')?.(flags)) ?? [];
  assert.deepEqual(
    findings.filter(({ status }) => status === 'failed'),
    [],
  );
  assert.match(findings.find(({ check }) => check === 'identity')?.found ?? '', /needs none/);
  assert.match(findings.find(({ check }) => check === 'definitions')?.found ?? '', /^1 files/);
  const modes = findings.find(({ check }) => check === 'modes');
  assert.equal(modes?.found, `${dataDir} is not there yet`);
  const codes: number[] = [];
  const asked: string[] = [];
  const doctors = new Map(
    ['shipper', 'gateway'].map((process) => [process, async () => (asked.push(process), [])]),
  );
  const command = () => doctorCommand(doctors, (code) => codes.push(code));
  await command().parseAsync(['--local', local], { from: 'user' });
  assert.deepEqual(asked, ['gateway']);
  await assert.rejects(command().parseAsync(['shipper', '--local', local], { from: 'user' }), {
    code: 'config.invalid',
  });
});
