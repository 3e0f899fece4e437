import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { syncFolderAside } from '../../proto/process/disk/durable-file.ts';
import { systemFault } from '../../proto/process/system-words.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { appendRows, readRows, replaceAll, userTables, type Row } from '../storage/tables-dump.ts';
import { requireAbsence } from '../storage/hold.ts';
import type { Storage, StorageLog, Trx } from '../storage/storage.ts';
import { publishedTopic } from './publisher.ts';
import { renewKey } from './revocation.ts';
import { putRoots, readRoots } from './roots.ts';
import { requireRestoredKeys } from './sealed.ts';
import { emptySeats } from './seats.ts';

/**
 * The backup file: zstd over lines of JSON, the same from and for both databases.
 *
 * Shape:  line 1 {"format":"isthmus-backup","version":1,"schema":2,"createdAtMs":...}
 *         then   {"table":"api","rows":[{"id":"...","sha256":{"$bytes":"base64"}}, ...]}
 *         last   {"end":true,"rows":1234}: a file without it was cut short.
 * Private keys and secrets lie sealed in it; opening them takes the installation's key-encryption key, which is not in it.
 */
const Header = z.strictObject({
  format: z.literal('isthmus-backup'),
  version: z.literal(1),
  schema: z.int().min(1),
  createdAtMs: z.int(),
});
const Rows = z.strictObject({ table: z.string(), rows: z.array(z.record(z.string(), z.unknown())) });
const End = z.strictObject({ end: z.literal(true), rows: z.int() });
const Bytes = z.strictObject({ $bytes: z.base64() });

const lineCharsMin = 1024 * 1024;

/** What came of a backup, or of its restore: the same. */
export interface BackupResult {
  /** Those with rows. */
  readonly tables: number;
  readonly rows: number;
}

/**
 * Writes everything as it was at one moment; the file appears under its name only when it is whole and durable.
 *
 * Errors: request.conflict when the file is there (a backup never replaces another one), or when there is nothing to back
 * up: a backup of nothing is a slip in the database's address that would be noticed on the day when it is needed.
 */
export async function backup(storage: Storage, file: string, clock: Clock): Promise<BackupResult> {
  const result = { tables: 0, rows: 0 };
  async function* lines(trx: Trx): AsyncGenerator<string> {
    const { schema, tables } = await userTables(trx, storage.dialect);
    yield line({ format: 'isthmus-backup', version: 1, schema, createdAtMs: clock.now() });
    for (const table of tables) {
      const before = result.rows;
      for await (const rows of readRows(trx, storage.dialect, table)) {
        result.rows += rows.length;
        yield* rowLines(table, rows);
      }
      if (result.rows > before) result.tables++;
    }
    yield line({ end: true, rows: result.rows });
  }
  if (existsSync(file)) throw isThere(file);
  const temporary = `${file}.${randomBytes(4).toString('hex')}.partial`;
  try {
    // Before anything is read: where nothing can be written, that is what is wrong.
    const target = await open(temporary, 'wx', 0o600);
    try {
      await storage.snapshot(async (trx) => {
        if (!(await hasOrganization(trx))) throw isEmpty();
        await pipeline(lines(trx), createZstdCompress(), target.createWriteStream());
      });
    } finally {
      await target.close();
    }
    const handle = await open(temporary, 'r+');
    await handle.sync();
    await handle.close();
    // A link, unlike a rename, does not replace what somebody has put there meanwhile.
    await link(temporary, file);
    await syncFolderAside(dirname(resolve(file)));
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST'
      ? isThere(file)
      : systemFault(error, nameOfTrouble(error, file));
  } finally {
    await rm(temporary, { force: true });
  }
  return result;
}

/** It is written under another name, in the same folder: when that is not there, it is the folder that the operator has to know of. */
const nameOfTrouble = (error: unknown, file: string): string =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT' ? dirname(resolve(file)) : file;

const isThere = (file: string): Fault =>
  new Fault('request.conflict', {
    detail: `${file} exists; a backup replaces nothing.`,
    hint: 'Choose another name, or move it away first.',
  });

const isEmpty = (): Fault =>
  new Fault('request.conflict', {
    detail: 'The database holds no organization yet; there is nothing to back up.',
    hint: 'Check database.url and dataDir for a slip.',
  });

async function hasOrganization(trx: Trx): Promise<boolean> {
  return (await trx.selectFrom('organization').select('id').limit(1).execute()).length > 0;
}

/** What {@link restore} needs. */
export interface RestoreOptions {
  readonly storage: Storage;
  /** The one that sealed what is in the backup. */
  readonly keyring: Keyring;
  /** Where that one's keys are, for what is said when they are others. */
  readonly keyFile?: string;
  readonly clock: Clock;
  readonly log: StorageLog;
  /** Judges the database as it will be; what it throws undoes all. */
  readonly accept?: ((trx: Trx) => Promise<void>) | undefined;
}

/**
 * Replaces everything in the database by the backup, in one transaction, and raises the epoch of every environment.
 *
 * Gateways have seen later numbers than the backup's, and would refuse them as a rollback; a higher epoch, certified by the
 * organization's root, tells them that history was reset on purpose. A backup of an older schema is moved forward.
 * Seats are emptied: their tickets have rolled since, and every gateway would look like a copy of itself.
 * Errors: request.invalid (no backup, cut short), storage.in_use, storage.not_granted, storage.newer_schema, secrets.no_key.
 */
export async function restore(options: RestoreOptions, file: string): Promise<BackupResult> {
  const { storage, log } = options;
  const handle = await openFile(file);
  const input = handle.createReadStream().pipe(createZstdDecompress());
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  let result: BackupResult;
  try {
    result = await storage.transaction(async (trx) => {
      await requireAbsence(trx, storage.dialect);
      const before = await readEpochs(trx);
      const roots = await readRoots(trx, storage.dialect);
      const read = await replaceAll(trx, storage.dialect, {
        schema: (await nextLine(lines, Header)).schema,
        fill: () => fill(trx, lines),
      });
      if (!(await hasOrganization(trx))) throw broken('it holds no organization');
      await putRoots(trx, roots);
      // Before a key is made: one that went in a roll would be missed at the next start, when the database that could do without it is gone.
      await requireRestoredKeys(trx, options.keyring, options.keyFile ?? 'the given kek');
      await raiseEpochs(trx, before, options);
      await emptySeats(trx);
      await options.accept?.(trx);
      return read;
    });
  } catch (error) {
    throw isDenied(error) ? notTheOwner(error) : error;
  } finally {
    input.destroy();
    await handle.close();
  }
  await storage.notifier.notify(publishedTopic, '');
  log.info({ ...result, file }, 'restored; gateways follow the new epoch');
  return result;
}

const isDenied = (error: unknown): error is Fault =>
  error instanceof Fault && error.code === 'storage.not_granted';

/** Grants do not help here: tables are dropped and made. */
const notTheOwner = (cause: Fault): Fault =>
  new Fault('storage.not_granted', {
    detail: 'A restore makes the tables anew, which only the role that owns them may.',
    internal: cause.internal,
    hint: 'Put the URL of the role that owns the tables in database.url for this command; nothing was changed.',
    cause,
  });

async function fill(trx: Trx, lines: AsyncIterator<string>): Promise<BackupResult> {
  const tables = new Set<string>();
  let rows = 0;
  for (;;) {
    const next = await nextLine(lines, z.union([Rows, End]));
    if ('end' in next) {
      if (next.rows !== rows) throw broken(`it has ${rows} rows and should have ${next.rows}`);
      return { tables: tables.size, rows };
    }
    tables.add(next.table);
    rows += next.rows.length;
    await appendRows(trx, next.table, next.rows.map(fromJson));
  }
}

/** At most 500 rows and about 1 MiB a line, so that one with large records still fits a string. */
function* rowLines(table: string, rows: readonly Row[]): Generator<string> {
  let texts: string[] = [];
  let chars = 0;
  const flush = (): string => `{"table":${JSON.stringify(table)},"rows":[${texts.join(',')}]}\n`;
  for (const row of rows) {
    const text = JSON.stringify(toJson(row));
    texts.push(text);
    chars += text.length;
    if (chars < lineCharsMin) continue;
    yield flush();
    texts = [];
    chars = 0;
  }
  if (texts.length > 0) yield flush();
}

/** Sees that a backup can be opened, before anything else is. Errors: system.missing, system.forbidden, system.in_the_way. */
export async function requireFile(file: string): Promise<void> {
  await (await openFile(file)).close();
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    // Opens well, and fails at the first byte.
    if (!(await handle.stat()).isDirectory()) return handle;
    await handle.close();
  } catch (error) {
    throw systemFault(error, file);
  }
  throw new Fault('system.in_the_way', {
    detail: `${file} is a folder, and has to be the file that isthmus backup wrote.`,
  });
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

const broken = (why: string, cause?: unknown): Fault =>
  new Fault('request.invalid', {
    detail: `The file is not a whole backup: ${why}.`,
    hint: 'Nothing was changed. Copy the file again from where it was written, or take an earlier backup.',
    cause,
  });

async function nextLine<T>(lines: AsyncIterator<string>, schema: z.ZodType<T>): Promise<T> {
  try {
    const next = await lines.next();
    if (next.done === true) throw broken('it ends too early');
    return schema.parse(JSON.parse(next.value));
  } catch (error) {
    throw error instanceof Fault ? error : broken('a line cannot be read', error);
  }
}

function toJson(row: Row): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString('base64') } : value,
    ]),
  );
}

function fromJson(row: Record<string, unknown>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      const bytes = Bytes.safeParse(value);
      return [column, bytes.success ? Buffer.from(bytes.data.$bytes, 'base64') : value];
    }),
  );
}

/** Epochs of what the backup replaces; none when the database is fresh. */
async function readEpochs(trx: Trx): Promise<ReadonlyMap<string, number>> {
  const rows = await trx.selectFrom('environment').select(['id', 'epoch']).execute();
  return new Map(rows.map((row) => [row.id, row.epoch]));
}

/**
 * With a key that is new as well: the backup may hold one that was revoked since.
 *
 * The epoch is higher than any that was here, and than any of an earlier restore of the same old backup, also after the database was
 * lost and nobody knows which there were.
 */
async function raiseEpochs(
  trx: Trx,
  before: ReadonlyMap<string, number>,
  { keyring, clock }: RestoreOptions,
): Promise<void> {
  const environments = await trx
    .selectFrom('environment')
    .select(['id as environment', 'organization'])
    .execute();
  for (const at of environments)
    await renewKey(trx, at, { keyring, clock, epochMin: (before.get(at.environment) ?? 0) + 1 });
}
