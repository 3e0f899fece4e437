import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';

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
