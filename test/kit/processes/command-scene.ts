import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { answerByApp } from '../../../proto/process/listening/web-app.ts';
import { createLog } from '../../../proto/process/log.ts';
import { runCommands } from './commands.ts';
import { testDatabases } from '../servers/databases.ts';
import { tempDir } from '../temp-dir.ts';
import { openOffice, password } from '../control-plane/office.ts';

const [database = assert.fail('a database')] = testDatabases;

/** Listens on a free port of this machine for as long as the test takes, and says the URL. */
export async function serveOn(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => void (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A control plane behind a socket, and hands that run commands against it; the password of `admin` is in their environment. */
export async function openCommandScene(t: TestContext, given: Parameters<typeof openOffice>[2] = {}) {
  const office = await openOffice(t, database, given);
  const url = await serveOn(t, answerByApp(office.app, createLog({ name: 'test', level: 'silent' })));
  const dir = tempDir(t);
  const env = { XDG_CONFIG_HOME: dir, ISTHMUS_PASSWORD: password };
  const run = (...commands: readonly (readonly string[])[]) => runCommands(commands, { cwd: dir, env });
  return { office, url, dir, run, file: join(dir, 'isthmus', 'contexts.json') };
}
