import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../kit/eventually.ts';
import { createManagementClient } from '../kit/management-client.ts';
import { startIsthmus } from '../kit/processes.ts';

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

/** Deploys a changing mock again and again on a fresh `isthmus up` and polls the gateway until it answers the new revision. */
export async function measurePublishToLive(count: number): Promise<PublishToLive> {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-bench-live-'));
  const closers: (() => unknown)[] = [];
  const offset = 20_000 + Math.floor(Math.random() * 10_000);
  startIsthmus(
    { after: (close: unknown) => closers.push(close as () => unknown) },
    ['up', '--data-dir', dir, '--port-offset', String(offset)],
    {
      env: { ISTHMUS_ADMIN_PASSWORD: 'bench-password-1' },
    },
  );
  try {
    const addresses = await eventually(
      () => JSON.parse(readFileSync(join(dir, 'addresses.json'), 'utf8')) as Addresses,
      { timeoutMs: 15_000 },
    );
    const client = createManagementClient(addresses.management, 'bench-password-1');
    const api = await client.createApi({ path: '/live', target: 'http://127.0.0.1:9', security: 'KEY_LESS' });
    const times: number[] = [];
    for (let n = 0; n < count; n += 1)
      times.push(
        await timeOneDeploy({
          client,
          apiId: api.id,
          url: `${addresses.gateway}/live`,
          word: `revision-${n}`,
        }),
      );
    times.sort((a, b) => a - b);
    return {
      count,
      p50Ms: times[Math.floor(count / 2)] ?? Number.NaN,
      p99Ms: times[Math.min(count - 1, Math.floor(count * 0.99))] ?? Number.NaN,
    };
  } finally {
    await Promise.all(closers.map((close) => close()));
    rmSync(dir, { recursive: true, force: true });
  }
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
