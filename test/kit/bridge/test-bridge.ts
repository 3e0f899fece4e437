import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { bridgeConfigSchema, type BridgeLimits } from '../../../bridge/config.ts';
import { startBridge } from '../../../bridge/start.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import type { UsedBucket } from '../../../proto/wire/blobs.ts';
import { createMemoryRepository, type MemoryRepository } from './memory-repository.ts';

/** A bucket in memory that can be away. */
export interface MemoryBlobs extends UsedBucket {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  setAway(isAway: boolean): void;
}

/** Makes an empty bucket in memory. */
export function createMemoryBlobs(): MemoryBlobs {
  const objects = new Map<string, Uint8Array>();
  let isAway = false;
  const demandHere = (): void => {
    if (isAway) throw new Fault('blobs.unavailable');
  };
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  return {
    objects,
    setAway: (away) => void (isAway = away),
    trouble: () => (isAway ? 'it is away' : undefined),
    async put(key, bytes, options) {
      demandHere();
      const known = objects.get(key);
      if (options?.ifAbsent === true && known !== undefined) {
        if (hash(known) === hash(bytes)) return 'existed';
        if (options.isSound === undefined || options.isSound(known)) throw new Fault('blobs.conflict');
        objects.set(key, bytes);
        return 'replaced';
      }
      objects.set(key, bytes);
      return 'stored';
    },
    async get(key) {
      demandHere();
      return objects.get(key);
    },
    async copy(from, to) {
      demandHere();
      const bytes = objects.get(from);
      if (bytes !== undefined) objects.set(to, bytes);
      return bytes !== undefined;
    },
    async *list(prefix, { after = '' } = {}) {
      demandHere();
      for (const [key, bytes] of [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1)))
        if (key.startsWith(prefix) && key > after) yield { key, bytes: bytes.length, writtenMs: undefined };
    },
    async *folders(prefix, depth = 1) {
      demandHere();
      const below = [...objects.keys()].filter((key) => key.startsWith(prefix));
      const names = below.map((key) => key.slice(prefix.length).split('/'));
      yield* new Set(
        names.filter((parts) => parts.length > depth).map((parts) => parts.slice(0, depth).join('/')),
      );
    },
    async delete(key) {
      demandHere();
      objects.delete(key);
    },
  };
}

/** Settings of a test bridge; the rest has its default. */
export interface TestBridgeWish {
  readonly limits?: Partial<BridgeLimits>;
  readonly publicUrls?: readonly string[];
  readonly listen?: object;
  /** Shared with another bridge. */
  readonly repository?: MemoryRepository;
  /** Nobody tells it what it is called. */
  readonly isNameless?: boolean;
  readonly lameDuckMs?: number;
  readonly tls?: object;
}

/** A real bridge on a free port over a repository and a bucket in memory. */
export interface TestBridge {
  readonly url: string;
  readonly nodeApi: string;
  readonly repository: MemoryRepository;
  readonly blobs: MemoryBlobs;
  /** Lines of its log. */
  readonly logged: readonly string[];
  /** It is dialled under this URL too, as by a proxy in front that keeps its name. */
  alsoAt(url: string): void;
  /** As the signal would. */
  close(asked?: NodeJS.Signals): Promise<void>;
}

/** Starts one and closes it with the test. */
export async function startTestBridge(
  t: Pick<TestContext, 'after'>,
  wish: TestBridgeWish = {},
  environments: readonly string[] = ['dev'],
): Promise<TestBridge> {
  const logged: string[] = [];
  const log = createLog({
    name: 'bridge',
    ...(process.env['ISTHMUS_TEST_LOG'] === undefined
      ? { level: 'info', destination: { write: (line: string) => void logged.push(line) } }
      : { level: 'debug' }),
  });
  const repository = wish.repository ?? createMemoryRepository({ environments });
  const blobs = createMemoryBlobs();
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 10_000 });
  const { tls, listen, isNameless, repository: _given, ...settings } = wish;
  const config = bridgeConfigSchema.parse({
    ...settings,
    admin: { port: 0 },
    listen: { host: '127.0.0.1', port: 0, ...listen, ...(tls !== undefined && { tls }) },
  });
  const clock = systemClock;
  const names: string[] = [];
  const { url, nodePort } = await startBridge({
    config,
    repository,
    blobs,
    log,
    clock,
    lifecycle,
    metrics: createMetrics(),
    version: '0.0.0-test',
    ...(isNameless !== true && {
      urlsOf: (port: number) => [`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, ...names],
    }),
  });
  t.after(() => lifecycle.close());
  return {
    url,
    logged,
    nodeApi: `http://127.0.0.1:${nodePort}`,
    repository,
    blobs,
    alsoAt: (name) => void names.push(name),
    close: (asked) => lifecycle.close(asked),
  };
}
