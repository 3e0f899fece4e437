/**
 * Clients that write to a management API without a pause, in a process of their own so that they hold up nobody who measures.
 *
 * Arguments: origin, password, how many, an API's id. Each changes that API's draft and deploys it, one call after the other.
 */
import { createManagementClient } from './management-client.ts';

const [origin = '', password = '', count = '8', ...apis] = process.argv.slice(2);
const client = createManagementClient(origin, password);

const write = async (writer: number): Promise<never> => {
  const api = apis[writer % apis.length] ?? '';
  for (let n = 0; ; n += 1) {
    await client.answerWith(api, `writer ${writer}, ${n}`);
    await client.deploy(api);
    process.stdout.write('.');
  }
};
await Promise.all(Array.from({ length: Number(count) }, (_, writer) => write(writer)));
