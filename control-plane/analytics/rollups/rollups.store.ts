import { z } from 'zod';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Storage } from '../../storage/storage.ts';
import { type LakeFile, type LakeStore, ofLogs } from '../lake.store.ts';
import { rollupFormat } from './cubes.ts';

const Rollup = z.object({
  format: z.literal(rollupFormat),
  bytes: z.int().min(1),
  /** Bytes of its sieve. */
  sieve: z.int().min(1),
  /** Bytes of its narrow copy; absent where that would be larger than the file. */
  narrow: z.int().min(1).optional(),
  /** Rows of each cube that there is, by its name. */
  cubes: z.record(z.string(), z.int().min(0)),
});
/** What the manifest says of the figures of a file: `{"format":5,"bytes":5469950,"sieve":1469950,"narrow":4469950,"cubes":{"whole":73542,"minutes":30283}}`. */
export type Rollup = z.output<typeof Rollup>;

/** Reads it; undefined where there is none, or one of another version. */
export function rollupOf(text: string | null): Rollup | undefined {
  if (text === null) return undefined;
  const parsed = Rollup.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** What the manifest says of figures of files. */
export class RollupStore {
  readonly #storage: Storage;
  readonly #lake: LakeStore;

  constructor(storage: Storage, lake: LakeStore) {
    this.#storage = storage;
    this.#lake = lake;
  }

  /** Files of at least so many records that have no figures of this version, the newest first, of every tenant: it is the ingester that asks. */
  async lacking(recordsMin: number, limit: number): Promise<readonly (LakeFile & EnvironmentRef)[]> {
    const rows = await this.#storage.db
      .selectFrom('lake_file')
      .select(['id', 'object_key', 'byte_count', 'organization', 'environment'])
      .where('state', '=', 'live')
      .where('record_count', '>=', recordsMin)
      .where('object_key', 'not like', ofLogs)
      .where((eb) =>
        eb.or([eb('rollup', 'is', null), eb('rollup', 'not like', `{"format":${rollupFormat},%`)]),
      )
      .orderBy('max_ms', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ id, object_key, byte_count, organization, environment }) => ({
      id,
      key: object_key,
      bytes: byte_count,
      organization,
      environment,
    }));
  }

  /** From now on questions go by them, or by them no longer. False when the lease was lost, or the file is no longer of the lake. */
  async save(id: string, rollup: Omit<Rollup, 'format'> | undefined): Promise<boolean> {
    return this.#lake.fenced(async (trx) => {
      const text = rollup === undefined ? null : JSON.stringify({ format: rollupFormat, ...rollup });
      const updated = await trx
        .updateTable('lake_file')
        .set({ rollup: text })
        .where('id', '=', id)
        .where('state', '=', 'live')
        .executeTakeFirst();
      return Number(updated.numUpdatedRows) === 1;
    });
  }
}
