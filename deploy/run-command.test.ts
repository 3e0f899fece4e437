import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const commandLine = join(import.meta.dirname, 'run-command.ts');

test('before a command is chosen no schema is loaded: what comes before small-start.ts leaves room that an idle gateway keeps', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    await import(${JSON.stringify(commandLine)});
    process.stdout.write(loaded.join('\\n'));
  `;
  const loaded = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.match(loaded, /deploy\/run-command\.ts$/m);
  assert.doesNotMatch(loaded, /node_modules\/(?:zod|protobufjs|hono|prom-client|better-sqlite3)\//);
});

test('a command that is asked for JSON says in JSON what went wrong, whatever it is', async (t) => {
  const file = join(tempDir(t), 'wrong.yaml');
  writeFileSync(file, 'gateway: { listen: { prot: 1 } }\n');
  for (const [args, code, told] of [
    [['config', '--json', '--config', file], 'config.invalid', 'gateway: listen.prot'],
    [['check', '--json', join(tempDir(t), 'nowhere')], 'config.unreadable', undefined],
  ] as const) {
    const child = startIsthmus(t, args);
    assert.notEqual(await child.ended, 0);
    const { error } = JSON.parse(child.stdout()) as {
      readonly error: { readonly code: string; readonly details: readonly { readonly path: string }[] };
    };
    assert.deepEqual([error.code, error.details[0]?.path], [code, told]);
  }
});

test('no command sets process.exitCode, which the executable does not ask for: a proven forgery would end with 0', () => {
  const folder = join(import.meta.dirname, 'commands');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  assert.ok(files.includes('audit.ts'));
  const silent = files.filter((file) =>
    readFileSync(join(folder, file), 'utf8').includes('process.exitCode'),
  );
  assert.deepEqual(silent, []);
});
