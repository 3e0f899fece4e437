import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { eventually } from '../test/kit/eventually.ts';
import { isLongRun, longTest, shortTest } from '../test/kit/long-run.ts';
import { isLive, lasting, sceneOf, testOutlivesOutput } from '../test/kit/processes/alone.ts';
import { startIsthmus } from '../test/kit/processes/processes.ts';

// The control plane, the bridge and the shipper read their settings again as parts of up, too; the long run asks each of them.
for (const name of lasting) {
  const test = name === 'up' || name === 'gateway' ? shortTest : longTest;
  test(`SIGHUP does not end ${name}: what has changed is taken over or named, and it goes on, also when nobody reads what it says`, async (t) => {
    const { args, file, live } = await sceneOf(t, name);
    const child = startIsthmus(t, args);
    await eventually(() => (child.isRunning() ? isLive(live) : assert.fail(child.output())), {
      timeoutMs: 30_000,
    });
    if (name === 'up') writeFileSync(file, 'gateway: { request: { answerMsMax: 2000 } }');
    else writeFileSync(file, `{ log: { level: debug }, admin: { port: 1 } }`);
    child.kill('SIGHUP');
    const waiting = name === 'up' ? 'gateway.request.answerMsMax' : 'admin.port';
    await eventually(() => child.output().includes(`"settings":["${waiting}"]`), { timeoutMs: 10_000 });
    if (name !== 'up') await eventually(() => /the log level has changed/.test(child.output()));
    writeFileSync(file, 'no: [settings');
    child.kill('SIGHUP');
    await eventually(() => /the settings cannot be read again/.test(child.output()), { timeoutMs: 10_000 });
    assert.ok(await isLive(live));
    child.stopReading();
    // It has something to log, to nobody.
    for (let times = 0; times < 3; times += 1) child.kill('SIGHUP');
    for (let times = 0; times < 5; times += 1) assert.ok(await isLive(live), child.output());
    child.kill('SIGINT');
    assert.equal(await child.ended, 0, child.output());
  });
}

// All write by the same log; the long run asks each of them.
if (!isLongRun)
  for (const reader of ['gone', 'on a full disk'] as const) testOutlivesOutput('gateway', reader);
