import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openStore } from '../../../data-plane/store/store.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import { encodeApi, encodeApiKey } from '../../../proto/wire/payloads.ts';
import type { RecordWithPayload } from '../../../proto/wire/published.ts';
import {
  createMemoryRepository,
  type MemoryChange,
  type MemoryRepository,
} from '../bridge/memory-repository.ts';
import { identityOf, startSyncGateway, type SyncGateway, type SyncGatewayWish } from './sync-gateway.ts';
import { tempDir } from '../temp-dir.ts';

/** A bridge that nobody runs. */
export const nowhere = 'http://127.0.0.1:9';
const plainDefinition = { name: 'orders', flows: [], text: 'x'.repeat(1_500) };

/** Writes a store as a gateway leaves it that had followed a bridge, with so many APIs and keys. */
export async function writtenStore(
  t: TestContext,
  size: {
    readonly apis: number;
    readonly keys: number;
    /** Default: one of the right size that no gateway can read. */
    readonly definitionOf?: (index: number) => object;
  },
) {
  const dir = tempDir(t, 'cold');
  const repository = createMemoryRepository();
  const changes: MemoryChange[] = [];
  for (let index = 0; index < size.apis; index += 1) {
    const id = `api-${index}`;
    const definition = JSON.stringify(size.definitionOf?.(index) ?? plainDefinition);
    changes.push({ kind: 'api', id, payload: encodeApi({ id, name: id, revision: '1', definition }) });
  }
  for (let index = 0; index < size.keys; index += 1) {
    const id = `key-${index}`;
    const hash = createHash('sha256').update(id).digest();
    const payload = encodeApiKey({
      id,
      hash,
      api: `api-${index % size.apis}`,
      subscriptions: [`s-${index}`],
      isRevoked: false,
    });
    changes.push({ kind: 'api-key', id, payload });
  }
  repository.publish('dev', changes);
  await save(repository, dir);
  const enrolled = repository.addGateway();
  const start = (wish: Partial<SyncGatewayWish> = {}): SyncGateway => {
    const gateway = startSyncGateway({
      ...wish,
      dir,
      url: nowhere,
      identity: identityOf(repository, enrolled, nowhere),
    });
    t.after(() => gateway.close());
    return gateway;
  };
  return { dir, path: join(dir, 'store.sqlite'), start };
}

async function save(repository: MemoryRepository, dir: string): Promise<void> {
  const at = { organization: repository.organization, environment: 'dev' };
  const head = await repository.head(at);
  assert.ok(head !== undefined);
  const { headers } = await repository.headersAfter(at, 0, 1_000_000);
  const records: readonly RecordWithPayload[] = await repository.payloads(at, headers);
  const log = createLog({ name: 'test', level: 'silent' });
  const store = openStore({ path: join(dir, 'store.sqlite'), log, clock: systemClock });
  const certificates = await repository.certificates(at);
  const state = {
    ...at,
    epoch: 1,
    seq: head.seq,
    head: head.bytes,
    certificates,
    tags: [],
    refused: [],
    appliedAtMs: 0,
  };
  await store.save({ state, isFull: true, records, gone: [] });
  await store.settle('dev', [], () => new Uint8Array());
  await store.close();
}
