import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startConnectProxy, type ConnectProxy } from '../engine/connect-proxy.ts';
import { testDatabases } from '../servers/databases.ts';
import { runAsOwner } from '../servers/roles.ts';
import { startS3Server } from '../servers/s3-server.ts';
import { tempDir } from '../temp-dir.ts';

type Replacements = readonly (readonly [string, string])[];

const postgres = testDatabases.find(({ name }) => name === 'postgres');
/** For the `skip` of a guide that needs a database server. */
export const withoutPostgres = postgres?.skip ?? false;

/** The servers that a reader of the hybrid guide has, and what its text calls them. */
export interface Outside {
  readonly replacements: Replacements;
  readonly proxy: ConnectProxy;
}

/** Starts a backend, a proxy that wants a password, an S3 store and an empty database server: the last with roles of its own, since a cluster serves many tests. */
export async function startOutside(t: Pick<TestContext, 'after'>): Promise<Outside> {
  const proxy = await startConnectProxy({ username: 'gateway', password: 'proxy-secret' });
  t.after(() => proxy.close());
  const s3 = await startS3Server(t, join(tempDir(t, 'isthmus-s3'), 'bucket'));
  return {
    proxy,
    replacements: [
      ...(await databaseNames(t)),
      ['https://s3.example.com', s3.endpoint],
      ['accessKeyId: isthmus', `accessKeyId: ${s3.accessKeyId}`],
      ['bucket-secret', s3.secretAccessKey],
      ['bridge.example.com', 'localhost'],
      ['http://gateway:proxy-secret@proxy.example.internal:3128', proxy.url],
      ['orders.example.internal:9000', await startBackend(t)],
    ],
  };
}

async function databaseNames(t: Pick<TestContext, 'after'>): Promise<Replacements> {
  const admin = (await postgres?.create()) ?? '';
  const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
  t.after(async () => {
    await runAsOwner(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await runAsOwner(admin, `DROP ROLE IF EXISTS ${name}_bridge`);
    await runAsOwner(admin, `DROP ROLE IF EXISTS ${name}`);
  });
  const as = (user: string, password: string): string =>
    Object.assign(new URL(admin), { username: user, password, pathname: `/${name}` }).href;
  return [
    ['postgresql://postgres:admin-secret@db.example.com/postgres', admin],
    ['postgresql://isthmus:secret@db.example.com/isthmus', as(name, 'secret')],
    [
      'postgresql://isthmus_bridge:bridge-secret@db.example.com/isthmus',
      as(`${name}_bridge`, 'bridge-secret'),
    ],
    ['isthmus_bridge', `${name}_bridge`],
    ['ROLE isthmus ', `ROLE ${name} `],
    ['DATABASE isthmus OWNER isthmus', `DATABASE ${name} OWNER ${name}`],
  ];
}

/** Says yes to everything, at the host and port that it resolves with. */
async function startBackend(t: Pick<TestContext, 'after'>): Promise<string> {
  const server = createServer((_request, answer) => answer.end('yes\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
