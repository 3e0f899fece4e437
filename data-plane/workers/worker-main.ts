/**
 * The process of a worker: `worker-process.ts` forks it.
 *
 * A terminal and a service manager send signals to all processes of a gateway; here they are ignored, since the primary
 * tells what to do. When it is killed, the channel breaks and the worker ends by itself.
 */
import '../../proto/process/heap/small-start.ts';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { outliveReaders } from '../../proto/process/log.ts';
import type { ToWorker } from './messages.ts';

closeBuiltIns();
outliveReaders();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined);
await (await import('../load.ts')).loadRooms();
const { runWorker } = await import('./worker.ts');

runWorker({
  // The primary is this very program: what it sends needs no second look.
  onMessage: (receive) => process.on('message', (message, handle) => receive(message as ToWorker, handle)),
  onGone: (callback) => process.on('disconnect', callback),
  send: (message) =>
    new Promise((resolve, reject) => {
      if (process.send === undefined || !process.connected) return reject(new Error('the primary is gone'));
      process.send(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
    }),
  exit: (code) => process.exit(code),
});
