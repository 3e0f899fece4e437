import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle, type Lifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { openKeyring } from '../../../proto/process/secrets.ts';
import { foldersOf } from '../../../proto/process/data-folder.ts';
import { newSpoolId, readCheckpoint, spoolFolder } from '../../../proto/spool/folder.ts';
import { writeOwner } from '../../../proto/spool/owner.ts';
import { batchHeadBytes } from '../../../proto/spool/segment.ts';
import { createSpoolWriter } from '../../../proto/spool/writer.ts';
import { saveIdentity } from '../../../proto/trust/identity.ts';
import { parseLandingKey } from '../../../proto/wire/landing.ts';
import { landingNameOf } from '../../../proto/wire/parcel.ts';
import type { Backlog } from '../../../shipper/backlog.ts';
import type { ShipperFacts } from '../../../shipper/condition.ts';
import { shipperConfigSchema } from '../../../shipper/config.ts';
import { startShipper } from '../../../shipper/start.ts';
import type { MemoryGateway } from '../bridge/memory-repository.ts';

/** Settings that make a shipper hurry. */
export const quick = {
  pollEveryMs: 5,
  discoverEveryMs: 10,
  retry: { msMin: 5, msMax: 20 },
  admin: { port: 0 },
  batch: { msMax: 20 },
};

/** A spool of a test, written as a gateway writes. */
export interface TestSpool {
  readonly spool: string;
  readonly dir: string;
  write(...lines: readonly string[]): void;
  /** Where the shipper stands. */
  shipped(): number;
}

/** Makes an empty one. */
export function createSpool(
  dataDir: string,
  wish: {
    readonly segmentBytes?: number;
    readonly organization?: string;
    readonly environment?: string;
  } = {},
): TestSpool {
  const { segmentBytes = 64 * 1024, organization = 'o', environment = 'e' } = wish;
  const spool = newSpoolId();
  const { spools, checkpoints } = foldersOf(dataDir);
  const dir = spoolFolder(spools, { stream: 'records', environment, spool });
  mkdirSync(dir, { recursive: true });
  writeOwner(dir, { organization, environment, gateway: 'g' });
  const writer = createSpoolWriter({ dir, spool, segmentBytes });
  return {
    spool,
    dir,
    write(...lines) {
      const text = lines.map((line) => `${line}\n`).join('');
      writer.append(Buffer.concat([Buffer.alloc(batchHeadBytes), Buffer.from(text)]), lines.length);
    },
    shipped: () => readCheckpoint(checkpoints, spool),
  };
}

/** What the gateways of a test bridge write for. */
export const bridgeTenant = { organization: 'org-1', environment: 'dev' };

/** What `/health` of a shipper says. */
export interface ShipperHealth extends ShipperFacts {
  readonly status: string;
  readonly degraded: readonly string[];
  readonly backlog: Backlog;
}

/** A running shipper of a test. */
export interface TestShipper {
  readonly lifecycle: Lifecycle;
  /** What it logged so far, one JSON text per line. */
  readonly logged: readonly string[];
  health(): Promise<ShipperHealth>;
  ready(): Promise<{ readonly ready: boolean; readonly waitsFor?: string }>;
  metrics(): Promise<string>;
}

/** Starts a quick one in this process; it stops with the test. */
export async function ship(t: TestContext, settings: Record<string, unknown>): Promise<TestShipper> {
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push(line) };
  const log = createLog({ name: 'test', level: 'info', destination });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const config = shipperConfigSchema.parse({ ...quick, ...settings });
  const metrics = createMetrics();
  const { adminPort } = await startShipper({
    config,
    log,
    lifecycle,
    clock: systemClock,
    metrics,
    version: '0.0.0-test',
  });
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${adminPort}/${path}`);
  return {
    lifecycle,
    logged,
    health: async () => (await (await get('health')).json()) as ShipperHealth,
    ready: async () => (await (await get('health/ready')).json()) as { readonly ready: boolean },
    metrics: async () => (await get('metrics')).text(),
  };
}

/** Writes the identity of a gateway of a test bridge, as if it had enrolled at that URL. */
export function enrolled(dataDir: string, gateway: MemoryGateway, bridge: string): void {
  const { identity, signing, sealing } = gateway;
  const { organization, fleet } = identity.grant;
  const named = { gateway: identity.id, organization, fleet, bridge, enrolledAtMs: 1 };
  saveIdentity(
    dataDir,
    { ...named, rootKey: new Uint8Array(32), signing, sealing },
    openKeyring({ dir: join(dataDir, 'secrets') }),
  );
}

/** Lines by offset; fails when an offset arrived under two names, or an object is not what its name says. */
export function arrived(objects: ReadonlyMap<string, Uint8Array>): ReadonlyMap<number, string> {
  const lines = new Map<number, string>();
  for (const [name, bytes] of objects) {
    const key = parseLandingKey(name);
    assert.ok(key, name);
    assert.equal(landingNameOf(bytes), name);
    const found = zstdDecompressSync(bytes).toString().trimEnd().split('\n');
    assert.equal(found.length, key.last - key.first + 1, `${name} has a line per offset`);
    found.forEach((line, index) => {
      assert.ok(!lines.has(key.first + index), `offset ${key.first + index} arrived twice`);
      lines.set(key.first + index, line);
    });
  }
  return lines;
}

/** Objects of a folder that is a bucket. */
export function folderObjects(dir: string): ReadonlyMap<string, Uint8Array> {
  const files = globSync('landing/**/*.ndjson.zst', { cwd: dir });
  return new Map(files.map((file) => [file, readFileSync(join(dir, file))]));
}
