import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';

import { tempDir } from '../../test/kit/temp-dir.ts';
import { loadConfig, secret, section } from './config.ts';
import { createLog, logLevels } from './log.ts';
import { createSettingsReload } from './reload.ts';

const schema = z.strictObject({
  log: section({ level: z.enum(logLevels).default('info') }),
  listen: section({ port: z.int().default(1) }),
  password: secret().optional(),
});

test('a changed log level is in use at once, every other change is named as waiting, and what is wrong changes nothing', (t) => {
  const file = join(tempDir(t), 'isthmus.yaml');
  const read = () => loadConfig(schema, { process: 'gateway', file }).config;
  writeFileSync(file, 'password: first');
  const logged: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const reload = createSettingsReload({ log, settings: read(), read });
  assert.equal(reload(), false);
  assert.deepEqual(logged, []);

  writeFileSync(file, '{ log: { level: debug }, listen: { port: 2 }, password: second }');
  assert.equal(reload(), true);
  assert.equal(log.level, 'debug');
  assert.match(logged.join(''), /"settings":\["listen\.port","password"\]/);
  assert.doesNotMatch(logged.join(''), /second/);
  assert.match(
    logged.at(-1) ?? '',
    /^\{"level":"warn".*"logLevel":"debug","msg":"the log level has changed"\}/,
  );

  logged.length = 0;
  assert.equal(reload(), false, 'the level is the same now');
  assert.match(logged.join(''), /"settings":\["listen\.port","password"\]/, 'the others wait still');

  writeFileSync(file, 'log: { level: loud }');
  assert.equal(reload(), false);
  assert.equal(log.level, 'debug');
  assert.match(logged.at(-1) ?? '', /"level":"error".*log\.level.*loud/);
});
