import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createLog } from '../../../proto/process/log.ts';
import { createOutbound, type Outbound } from '../../../proto/process/outbound/outbound.ts';
import { fetchers } from '../../../control-plane/management/index.ts';
import { pollFetches, type PollingOptions } from '../../../control-plane/management/fetches/polling.ts';
import { eventually } from '../eventually.ts';
import type { FakeClock } from '../fake-clock.ts';
import type { Office } from './office.ts';

/** Who provides words: a real server whose answer a test chooses. */
export interface Provider {
  readonly url: string;
  readonly port: number;
  /** What it was asked, in order. */
  readonly asked: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }[];
  /** What it answers from now on: JSON, or a text as it is, or what a function makes of the path; 'never' leaves callers waiting. */
  answer(body: unknown, status?: number): void;
}

/** Starts a provider on 127.0.0.1. */
export async function startProvider(t: TestContext): Promise<Provider> {
  let [answer, status]: [unknown, number] = [[], 200];
  const asked: Provider['asked'] = [];
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      asked.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      if (answer === 'never') return;
      outgoing.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' });
      const said: unknown =
        typeof answer === 'function' ? (answer as (path: string) => unknown)(url) : answer;
      outgoing.end(typeof said === 'string' ? said : JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    answer: (body, code = 200) => void ([answer, status] = [body, code]),
  };
}

/** What asks URLs of tenants; by default it may call this machine. */
export const openCaller = (allow: readonly string[] = ['127.0.0.1']): Outbound =>
  createOutbound({ profile: 'public', allow, connectMsMax: 2_000, responseBytesMax: 2_000_000 });

/** What polls for an office, until the test ends. */
export interface Polling {
  /** Moves the office's time on in seconds, and waits until everything that fell due was asked and written down. */
  seconds(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Who polls by a clock. One that time passes by while it looks sees nothing of what falls due, and nobody wakes it again. */
const pollingBy = new WeakMap<FakeClock, Set<AbortController>>();

/** Polls for an office; with `allow` it may call this machine. */
export function startPolling(
  t: TestContext,
  { desk, clock, storage }: Office,
  given: Partial<PollingOptions> & { readonly allow?: readonly string[] } = {},
): Polling {
  const outbound = openCaller(given.allow);
  const ending = new AbortController();
  const all = pollingBy.get(clock) ?? new Set();
  pollingBy.set(clock, all.add(ending));
  const bounds = { answerMsMax: 2_000, answerBytesMax: 10_000, runningMax: 4, runningPerOrganizationMax: 2 };
  const log = createLog({ name: 'test', level: 'silent' });
  const done = pollFetches({ desk, log, outbound, fetchers, ...bounds, ...given }, ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort();
    await done;
    all.delete(ending);
    await outbound.close();
  };
  t.after(stop);
  return {
    stop,
    async seconds(count) {
      for (let second = 0; second < count; second += 1) {
        // Each waits for its next look whenever it waits for nothing else.
        await eventually(() => clock.pending >= all.size);
        await clock.advance(1_000);
        await eventually(async () => {
          const due = await storage.db
            .selectFrom('fetched')
            .select('id')
            .where('due_at_ms', '<=', clock.now())
            .execute();
          return clock.pending >= all.size && due.length === 0;
        });
      }
    },
  };
}
