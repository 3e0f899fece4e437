import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { passwordSchema, readPassword } from '../control-plane/access/passwords.ts';
import { Fault } from '../proto/faults/fault.ts';
import { loadConfig, settingsOf, variableOf } from '../proto/process/config.ts';
import { startIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { processNames, processSchemas } from './processes.ts';

/** Credentials without being secret. */
const halves = /(^|\.)accessKeyId$/;

for (const name of processNames) {
  test(`a secret of ${name} that is set and empty is refused by the name of its variable`, () => {
    const schema = processSchemas[name];
    const settings = settingsOf(schema).filter(({ path, isSecret }) => isSecret || halves.test(path));
    assert.ok(settings.length > 0);
    for (const { path } of settings) {
      const variable = variableOf(name, path);
      assert.throws(
        () => loadConfig(schema, { process: name, env: { [variable]: '' } }),
        (error) =>
          error instanceof Fault &&
          error.code === 'config.invalid' &&
          error.details.some((detail) => detail.path === path && detail.message.includes(variable)),
        variable,
      );
    }
  });
}

test('a password has 12 to 256 characters, whichever door it comes through', () => {
  for (const [length, isTaken] of [
    [0, false],
    [11, false],
    [12, true],
    [256, true],
    [257, false],
  ] as const) {
    const password = 'p'.repeat(length);
    assert.equal(passwordSchema.safeParse(password).success, isTaken);
    if (isTaken) assert.equal(readPassword(password, 'NAME'), password);
    else
      assert.throws(
        () => readPassword(password, 'NAME'),
        (error) =>
          error instanceof Fault &&
          /NAME must have 12 to 256/.test(error.detail) &&
          !(length > 0 && error.detail.includes(password)),
      );
  }
  assert.equal(readPassword(undefined, 'NAME'), undefined);
});

test('an empty or short ISTHMUS_ADMIN_PASSWORD is refused by name before anything is made', async (t) => {
  await Promise.all(
    ['up', 'control-plane'].flatMap((command) =>
      ['', 'SHORT'].map(async (password) => {
        const dir = join(tempDir(t), 'fresh');
        const child = startIsthmus(t, [command, '--data-dir', dir], {
          env: { ISTHMUS_ADMIN_PASSWORD: password },
        });
        assert.equal(await child.ended, 2, child.output());
        assert.match(child.output(), /ISTHMUS_ADMIN_PASSWORD.*must have 12 to 256 characters/);
        assert.doesNotMatch(child.output(), /SHORT/);
        assert.equal(existsSync(dir), false, 'no data folder was made');
      }),
    ),
  );
});

test('an empty enrolment token is refused by the name of where it came from', async (t) => {
  const file = join(tempDir(t), 'token.txt');
  writeFileSync(file, '\n');
  await Promise.all(
    (
      [
        [[], { ISTHMUS_ENROLMENT_TOKEN: '' }, /ISTHMUS_ENROLMENT_TOKEN.*empty/],
        [['--token', ''], {}, /--token.*empty/],
        [['--token-file', file], {}, /--token-file .*token\.txt.*empty/],
      ] as const
    ).map(async ([flags, env, expected]) => {
      const dir = join(tempDir(t), 'fresh');
      const child = startIsthmus(t, ['enroll', '--data-dir', dir, ...flags], { env });
      assert.equal(await child.ended, 2, child.output());
      assert.match(child.output(), expected);
      assert.equal(existsSync(dir), false);
    }),
  );
});
