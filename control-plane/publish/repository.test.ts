import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { PublishedRepository } from '../../proto/wire/published.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { api, openStage } from './stage.test.ts';

const postgres = testDatabases.find((database) => database.name === 'postgres');

/** A line to the database that can be cut and mended. */
async function openLine(t: TestContext, target: URL) {
  const sockets = new Set<Socket>();
  let server: Server;
  const listen = async (port: number): Promise<number> => {
    server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on('error', () => other.destroy()).on('close', () => (sockets.delete(one), other.destroy()));
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  const url = new URL(target);
  url.port = String(port);
  t.after(cut);
  return { url: url.href, cut, mend: () => listen(port) };
}

describe('the repository behind a line that is cut', { skip: postgres?.skip ?? true }, () => {
  test('every method says storage.unavailable, never no, and works again afterwards', async (t) => {
    assert.ok(postgres);
    const line = await openLine(t, new URL((await postgres.create()) ?? ''));
    const { repository, publish, publisher, storage, verifiedHead, at } = await openStage(t, postgres, {
      url: line.url,
    });
    await publish(at, api('a'));
    const { headers } = await repository.headersAfter(at, 0, 10);
    const hints: string[] = [];
    repository.onPublished((environment) => hints.push(environment));
    await eventually(() => hints.includes(''));

    await line.cut();
    const calls: ((port: PublishedRepository) => Promise<unknown>)[] = [
      (port) => port.head(at),
      (port) => port.certificates(at),
      (port) => port.headersAfter(at, 0, 10),
      (port) => port.headersInBuckets(at, [1]),
      (port) => port.bucketHashes(at),
      (port) => port.payloads(at, headers),
      (port) => port.oldestCursor(at),
      (port) => port.gateway('x'),
      (port) => port.saveDisconnected('x', 'y'),
      (port) => port.saveEvent({ gateway: 'x', kind: 'k', detail: '', atMs: 1 }),
    ];
    for (const call of calls) await assert.rejects(call(repository), { code: 'storage.unavailable' });
    await assert.rejects(publish(at, api('b')), { code: 'storage.unavailable' });
    await publisher.published(at);

    await line.mend();
    assert.equal(await publish(at, api('b')), 2, 'the transaction that failed took no number');
    await verifiedHead(at);
    hints.length = 0;
    await eventually(async () => {
      await publisher.published(at);
      return hints.includes('env');
    });
    await storage.close();
  });
});
