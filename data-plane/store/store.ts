import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Nack, RecordHeader, RecordKind } from '../../proto/wire/published.ts';
import { openDisk, type Connection, type Disk } from './disk.ts';
import type { StoreProblem } from './file.ts';
import {
  environmentFromRow,
  environmentToRow,
  type ProofOfPredecessor,
  recordFromRow,
  recordToRow,
  type RecordRow,
  type SeenHead,
  type StoredEnvironment,
  type StoredRecord,
} from './stored.ts';
import { createUnsaved, type PendingChange, type Unsaved } from './unsaved.ts';

export type { StoreProblem } from './file.ts';
export type { SeenHead, StoredEnvironment, StoredRecord } from './stored.ts';

/** What the store says of itself in health. */
export interface StoreHealth {
  /** durable: what is applied is on disk. memory: it is not, and a restart starts from less or from nothing. */
  readonly mode: 'durable' | 'memory';
  /** Stays until the process ends or the next write succeeds, so that a file moved aside at start is seen. */
  readonly problem: StoreProblem | undefined;
  /** Records that wait for a disk that takes them. */
  readonly unsavedRecords: number;
}

/** One step from a verified state to the next. */
export interface StoredChange {
  readonly state: StoredEnvironment;
  /** True: records is everything, whatever else is stored goes. */
  readonly isFull: boolean;
  readonly records: readonly StoredRecord[];
  /** Records that left the set for good (pruned tombstones); empty when isFull. */
  readonly gone: readonly { readonly kind: RecordKind; readonly id: string }[];
}

/** What a start finds. */
export interface LoadedStore {
  readonly environments: readonly LoadedEnvironment[];
  readonly seen: readonly SeenHead[];
}

/** One environment with its records in the order they were written. */
export interface LoadedEnvironment extends StoredEnvironment {
  readonly records: readonly StoredRecord[];
  /** By the id of the API. */
  readonly judged: ReadonlyMap<string, StoredJudgement>;
}

/** What was found out of an API when it was compiled, as whoever proves it wrote it. */
export interface StoredJudgement {
  readonly id: string;
  readonly text: string;
  readonly proof: Uint8Array;
}

/**
 * The last good configuration of this gateway on its own disk.
 *
 * It stores what it is given and judges nothing: who reads it verifies head and digest again. A file that is corrupt,
 * full, read-only or of another version is moved aside or lived without, and health says so; no method throws for it.
 */
export interface Store {
  /** Everything; empty when there is nothing, or nothing readable, which health then says. */
  load(): LoadedStore;
  /** Writes one change in one transaction; what a full disk refuses is kept and written with the next change or `retry`. */
  save(change: StoredChange): Promise<void>;
  /**
   * The gateway has taken the last change into service, except for what it refuses: of those the bytes that were
   * there before stay with their proof, so that a restart serves them again.
   */
  settle(environment: string, refused: readonly Nack[], proofOf: ProofOfPredecessor): Promise<void>;
  /** Drops what records were before: it does not prove, and must not be proven by the next `settle`. */
  forgetPrevious(environment: string, records: readonly Pick<RecordHeader, 'kind' | 'id'>[]): void;
  /** Keeps what was found out of APIs; `gone` loses what is kept. That it could not be written costs the next start some time, and nobody waits. */
  saveJudged(environment: string, judged: readonly StoredJudgement[], gone: readonly string[]): void;
  /** Remembers a verified head before anything of it is applied. */
  saveSeen(seen: SeenHead): void;
  /** Drops what is stored of an environment; what was seen of it stays. */
  forget(environment: string): void;
  /** What was read does not verify: moves the file aside and begins a fresh one. */
  setAside(why: string): void;
  /** Writes what could not be written before, if anything. */
  retry(): Promise<void>;
  health(): StoreHealth;
  /** Waits for the write that runs. */
  close(): Promise<void>;
}

/** What a store needs. */
export interface StoreOptions {
  /** The file, e.g. `<dataDir>/gateway/store.sqlite`; its folder is made. */
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** Rows per turn of the event loop while a large set is written; traffic waits about 5 ms at most. */
const rowsPerTurn = 1_000;

/** Opens the store; a bad file is dealt with and said, never thrown. */
export function openStore(options: StoreOptions): Store {
  const disk = openDisk(options);
  const unsaved = createUnsaved();
  // One connection: a second transaction must not begin while a large one yields to traffic.
  let writing: Promise<void> = Promise.resolve();
  const flushInTurn = (): Promise<void> => (writing = writing.then(() => flush(disk, unsaved)));

  return {
    load: () => load(disk),
    save(change) {
      unsaved.add(change);
      return flushInTurn();
    },
    settle: (environment, refused, proofOf) =>
      (writing = writing.then(() =>
        write(disk, 'settling', (connection) => settle(connection, environment, { refused, proofOf })),
      )),
    forgetPrevious(environment, records) {
      write(disk, 'forgetting what records were before', ({ database, statements }) =>
        database.transaction(() => {
          for (const { kind, id } of records) settleRecord(statements, environment, { kind, id });
        })(),
      );
    },
    saveJudged(environment, judged, gone) {
      writing = writing.then(() => saveJudged(disk, environment, { judged, gone }));
    },
    saveSeen({ environment, epoch, seq, digest }) {
      write(disk, 'saving the seen head', ({ statements }) =>
        statements.saveSeen.run(environment, epoch, seq, digest),
      );
    },
    forget(environment) {
      unsaved.delete(environment);
      write(disk, 'forgetting an environment', ({ statements }) => {
        statements.removeRecords.run(environment);
        statements.removeAllJudged.run(environment);
        statements.removePredecessors.run(environment);
        statements.removeEnvironment.run(environment);
      });
    },
    setAside: (why) => disk.setAside(why),
    retry: () => (unsaved.size() === 0 ? Promise.resolve() : flushInTurn()),
    health: () => ({
      mode: disk.writable() !== undefined && unsaved.size() === 0 ? 'durable' : 'memory',
      problem: disk.problem(),
      unsavedRecords: unsaved.size(),
    }),
    async close() {
      await writing;
      disk.close();
    },
  };
}

function load(disk: Disk): LoadedStore {
  const nothing: LoadedStore = { environments: [], seen: [] };
  const connection = disk.readable();
  if (connection === undefined) return nothing;
  const { statements } = connection;
  try {
    const environments = statements.environments.all().map(environmentFromRow);
    return {
      environments: environments.map((state) => ({
        ...state,
        records: loadRecords(statements, state.environment),
        judged: new Map(
          (statements.judged.all(state.environment) as StoredJudgement[]).map((each) => [each.id, each]),
        ),
      })),
      seen: statements.seen.all() as SeenHead[],
    };
  } catch (error) {
    // One broken page: the rest is not believed either.
    disk.setAside(error instanceof Error ? error.message : String(error));
    return nothing;
  }
}

function loadRecords(
  { records, predecessors }: Connection['statements'],
  environment: string,
): readonly StoredRecord[] {
  const proofs = new Map(
    (predecessors.all(environment) as PredecessorRow[]).map(({ kind, id, proof }) => [
      nameOf({ kind, id }),
      proof,
    ]),
  );
  return (records.all(environment) as RecordRow[]).map((row) => {
    const record = recordFromRow(row);
    return record.previous === undefined
      ? record
      : { ...record, previousProof: proofs.get(nameOf(record.header)) };
  });
}

function write(disk: Disk, doing: string, work: (connection: Connection) => void): void {
  const connection = disk.writable();
  if (connection === undefined) return;
  try {
    work(connection);
  } catch (error) {
    disk.failed(error, doing);
  }
}

type RecordName = Pick<RecordHeader, 'kind' | 'id'>;
type PredecessorRow = RecordName & { readonly proof: Uint8Array };
type UnprovenRow = RecordName & { readonly sha256: Uint8Array; readonly previous: Uint8Array };

const nameOf = ({ kind, id }: RecordName): string => `${kind}\0${id}`;

function settle(
  { database, statements }: Connection,
  environment: string,
  { refused, proofOf }: { readonly refused: readonly Nack[]; readonly proofOf: ProofOfPredecessor },
): void {
  const isRefused = new Set(refused.map(nameOf));
  const unsettled = statements.unsettled.all(environment) as RecordName[];
  database.transaction(() => {
    for (const name of unsettled)
      if (!isRefused.has(nameOf(name))) settleRecord(statements, environment, name);
    for (const { kind, id, sha256, previous } of statements.unproven.all(environment) as UnprovenRow[])
      statements.savePredecessor.run(environment, kind, id, sha256, proofOf({ kind, id, sha256 }, previous));
    statements.saveRefused.run(JSON.stringify(refused), environment);
  })();
}

function settleRecord(
  { settleRecord: settled, removePredecessor }: Connection['statements'],
  environment: string,
  { kind, id }: RecordName,
): void {
  settled.run(environment, kind, id);
  removePredecessor.run(environment, kind, id);
}

async function saveJudged(
  disk: Disk,
  environment: string,
  { judged, gone }: { readonly judged: readonly StoredJudgement[]; readonly gone: readonly string[] },
): Promise<void> {
  write(disk, 'forgetting judgements', ({ statements }) => {
    for (const id of gone) statements.removeJudged.run(environment, id);
  });
  // Each slice stands for itself: what is kept of one API says nothing of another.
  for (let at = 0; at < judged.length; at += rowsPerTurn) {
    await new Promise((resolve) => setImmediate(resolve));
    const slice = judged.slice(at, at + rowsPerTurn);
    write(disk, 'saving judgements', ({ database, statements }) =>
      database.transaction(() => {
        for (const { id, text, proof } of slice) statements.saveJudged.run(environment, id, text, proof);
      })(),
    );
  }
}

async function flush(disk: Disk, unsaved: Unsaved): Promise<void> {
  const connection = disk.writable();
  if (connection === undefined) return unsaved.clear();
  for (const pending of unsaved.changes()) {
    try {
      await writeChange(connection, pending);
      unsaved.written(pending);
      disk.succeeded();
    } catch (error) {
      if (connection.database.open && connection.database.inTransaction) connection.database.exec('ROLLBACK');
      disk.failed(error, 'saving a change');
      return;
    }
  }
}

async function writeChange({ database, statements }: Connection, change: PendingChange): Promise<void> {
  const { environment } = change.state;
  database.exec('BEGIN IMMEDIATE');
  if (change.isFull) {
    statements.removeRecords.run(environment);
    statements.removePredecessors.run(environment);
  }
  for (const { kind, id } of change.gone.values()) {
    statements.removeRecord.run(environment, kind, id);
    statements.removePredecessor.run(environment, kind, id);
  }
  let rows = 0;
  for (const record of change.records.values()) {
    statements.saveRecord.run(...recordToRow(environment, record));
    if (++rows % rowsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  statements.saveEnvironment.run(environmentToRow(change.state));
  database.exec('COMMIT');
}
