import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../kit/eventually.ts';
import { createManagementClient } from '../kit/control-plane/management-client.ts';
import { loadCpu, proxyCpu, type Stage } from './stage.ts';
import { percentile } from '../kit/percentile.ts';

/** How long a deploy took to be answered by the gateway. */
export interface PublishToLive {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Addresses that `isthmus up` writes. */
interface Addresses {
  readonly gateway: string;
  readonly management: string;
}

const password = 'bench-password-1';
const startMsMax = 60_000;

/** Deploys a changing mock again and again on a fresh `isthmus up` and polls the gateway until it answers the new revision. */
export async function measurePublishToLive(stage: Stage, count: number): Promise<PublishToLive> {
  const dir = stage.folder('live');
  // Ports 18,082 to 32,591: below those that the kernel hands to outgoing connections.
  const offset = 10_000 + Math.floor(Math.random() * 4_500);
  const script = join(import.meta.dirname, '../../deploy/isthmus.js');
  const command = [process.execPath, script, 'up', '--data-dir', dir, '--port-offset', String(offset)];
  const child = stage.start(`${proxyCpu},${loadCpu}`, command, {
    env: { ISTHMUS_ADMIN_PASSWORD: password },
    isQuiet: true,
  });
  const starting = eventually(
    () => JSON.parse(readFileSync(join(dir, 'addresses.json'), 'utf8')) as Addresses,
    { timeoutMs: startMsMax },
  );
  const addresses = await Promise.race([starting, child.ended]);
  if (addresses === undefined) throw new Error('isthmus up ended before it was ready');
  const client = createManagementClient(addresses.management, password);
  const api = await client.createApi({ path: '/live', target: 'http://127.0.0.1:9', security: 'KEY_LESS' });
  const times: number[] = [];
  for (let n = 0; n < count; n += 1)
    times.push(
      await timeOneDeploy({ client, apiId: api.id, url: `${addresses.gateway}/live`, word: `revision-${n}` }),
    );
  child.kill();
  await child.ended;
  return { count, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}

/** Milliseconds from the deploy's request until the gateway answers with the word. */
async function timeOneDeploy(wish: {
  client: ReturnType<typeof createManagementClient>;
  apiId: string;
  url: string;
  word: string;
}): Promise<number> {
  await wish.client.answerWith(wish.apiId, wish.word);
  const startedMs = performance.now();
  await wish.client.deploy(wish.apiId);
  await eventually(async () => (await (await fetch(wish.url)).text()).includes(wish.word), {
    timeoutMs: 10_000,
    everyMs: 2,
  });
  return performance.now() - startedMs;
}
