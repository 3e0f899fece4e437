/**
 * The process of the gateway in `isthmus up`: `gateway-process.ts` forks it. The backend of the demo APIs is in it too, so that nothing
 * that a caller of theirs waits for runs beside the control plane.
 *
 * It loads its rooms while the control plane starts, and is told what to start when there is a bridge to enrol at.
 */
import '../proto/process/heap/small-start.ts';
import { closeBuiltIns } from '../proto/process/built-ins.ts';
import { holdFolder } from '../proto/process/disk/folder-hold.ts';
import { outliveReaders } from '../proto/process/log.ts';
import { startEchoServer } from './echo-server.ts';
import type { FromGateway, GatewayWish, GatewayStart, ToGateway } from './gateway-process.ts';
import { followParent } from './launcher.ts';
import { runProcess } from './run-process.ts';
import { explain } from './terminal.ts';

closeBuiltIns();
outliveReaders();
followParent();
await (await import('../data-plane/load.ts')).loadRooms();
const { startGateway } = await import('../data-plane/start.ts');
const { loadBridgeSource } = await import('../data-plane/source.ts');

// `up` is this very program: what it says needs no second look.
const { followsBridge, ...logging } = JSON.parse(process.argv[2] ?? '{}') as GatewayWish;
if (followsBridge) await loadBridgeSource();
const told = Promise.withResolvers<GatewayStart>();

/** Resolves when it has left: the process may end in the next moment. */
const tell = (message: FromGateway): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });

async function run(): Promise<number> {
  try {
    return await runProcess({ name: 'gateway', ...logging }, async (parts) => {
      const { lifecycle } = parts;
      process.on('message', (message: ToGateway) => {
        if (message.kind === 'close') void lifecycle.close(message.asked);
        else if (message.kind === 'reload') void lifecycle.reload();
        else told.resolve(message);
      });
      lifecycle.signal.addEventListener('abort', () => told.reject(lifecycle.signal.reason));
      const { config, echoPort } = await told.promise;
      holdFolder(config.dataDir, 'gateway', parts);
      await startEchoServer(echoPort, lifecycle);
      const { ports, adminPort } = await startGateway({ ...parts, config });
      await tell({ kind: 'listening', ports: [...ports], adminPort });
    });
  } catch (error) {
    const explanation = explain(error);
    await tell({ kind: 'failed', ...explanation });
    return explanation.exitCode;
  }
}

process.exit(await run());
