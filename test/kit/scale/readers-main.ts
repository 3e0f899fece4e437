/**
 * Clients that read from a management API without a pause, each one path again and again, in a process of their own so that they hold up nobody
 * who measures. Without arguments it reads nothing, and computes without a pause.
 *
 * Arguments: origin, password, paths.
 */
import { setPriority } from 'node:os';
import { createManagementClient } from '../control-plane/management-client.ts';

const [origin, password = '', ...paths] = process.argv.slice(2);
/** As nice as the control plane of `isthmus up`, which has most of the work of the readers. */
const nice = 5;

process.stdout.write('.');
if (origin === undefined) {
  setPriority(nice);
  for (;;) JSON.stringify(process.memoryUsage());
}
const client = createManagementClient(origin, password);
const read = async (path: string): Promise<never> => {
  for (;;) await client.call('GET', path);
};
await Promise.all(paths.map(read));
