import { workerData } from 'node:worker_threads';
import { type ApiRow, insertApi, takePaths } from '../../../control-plane/management/apis/apis.store.ts';
import { openStorage } from '../../../control-plane/storage/storage.ts';

/** A control plane of its own that takes a path a round, with others at the same moment. */
interface Wish {
  readonly url: string | undefined;
  readonly dataDir: string;
  readonly at: { readonly organization: string; readonly environment: string };
  readonly server: string;
  readonly index: number;
  readonly rounds: number;
  readonly writers: number;
  /** A counter for each round: how many are there. */
  readonly gate: SharedArrayBuffer;
}

const { url, dataDir, at, server, index, rounds, writers, gate } = workerData as Wish;
const waiting = new Int32Array(gate);
const log = { info: () => undefined, warn: () => undefined };
const storage = await openStorage({ url, dataDir, log, mode: 'existing' });

/** Takes the transaction back. */
class Taken extends Error {}

for (let round = 0; round < rounds; round += 1) {
  meet(round);
  await storage
    .transaction(async (trx) => {
      const api = rowOf(`${round}-${index}`);
      await insertApi(trx, api);
      const taken = await takePaths(trx, api, {
        paths: [{ host: '', path: `/${round}/`, server }],
        nowMs: 1,
      });
      if (taken !== undefined) throw new Taken();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Taken)) throw error;
    });
}
await storage.close();

/** Waits until all writers are at this round. */
function meet(round: number): void {
  Atomics.add(waiting, round, 1);
  Atomics.notify(waiting, round);
  for (let there = Atomics.load(waiting, round); there < writers; there = Atomics.load(waiting, round))
    Atomics.wait(waiting, round, there);
}

function rowOf(id: string): ApiRow {
  return {
    ...at,
    id,
    name: id,
    name_key: id,
    api_version: '1',
    description: '',
    definition: '{"type":"PROXY"}',
    tags: '[]',
    visibility: 'PRIVATE',
    lifecycle_state: 'CREATED',
    state: 'STOPPED',
    created_at_ms: 1,
    updated_at_ms: 1,
    is_out_of_sync: 1,
    deployed_number: 0,
    deployed_at_ms: null,
    deployed_tags: '[]',
  };
}
