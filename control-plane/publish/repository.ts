import type { Clock } from '../../proto/process/clock.ts';
import type {
  EnvironmentRef,
  PublishedRepository,
  RecordHeader,
  RecordWithPayload,
} from '../../proto/wire/published.ts';
import { databaseNowMs } from '../storage/leases.ts';
import type { Storage } from '../storage/storage.ts';
import { enrol } from './enrolment.ts';
import { enrolledTopic } from './key-delivery.ts';
import { findGateway, saveDisconnected, saveEvent, saveReport } from './gateways.ts';
import { headerColumns, readBuckets, readHead, toHeader } from './heads.ts';
import { publishedTopic } from './publisher.ts';
import { createSeatLedger } from './seats.ts';

/** Seqs per statement. */
const seqsPerStatement = 1_000;
const bucketHashesBytes = 256 * 32;
/** More certificates than this only exist when somebody rotates by the minute; the newest are the ones in use. */
const certificatesMax = 16;

/**
 * The port that the bridge is handed, on whatever database. It needs no private key.
 *
 * Every query carries organization and environment; methods that name only a gateway find both in its row.
 */
export function createPublishedRepository(options: {
  readonly storage: Storage;
  readonly clock: Clock;
}): PublishedRepository {
  const { storage } = options;
  const { db } = storage;
  return {
    ...createSeatLedger(storage),
    async head(at) {
      const row = await readHead(db, at);
      return row === undefined
        ? undefined
        : {
            organization: row.organization,
            environment: row.environment,
            epoch: row.epoch,
            seq: row.seq,
            bytes: row.bytes,
          };
    },
    certificates: (at) => readCertificates(storage, at),
    async headersAfter(at, afterSeq, limit) {
      const rows = await db
        .selectFrom('published_latest')
        .select(headerColumns)
        .where('organization', '=', at.organization)
        .where('environment', '=', at.environment)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit + 1)
        .execute();
      return { headers: rows.slice(0, limit).map(toHeader), hasMore: rows.length > limit };
    },
    headersInBuckets: (at, buckets) => readBuckets(db, at, buckets),
    async bucketHashes(at) {
      return (await readHead(db, at))?.bucket_hashes ?? new Uint8Array(bucketHashesBytes);
    },
    payloads: (at, headers) => readPayloads(storage, at, headers),
    async oldestCursor(at) {
      const row = await db
        .selectFrom('environment')
        .select('pruned_seq')
        .where('organization', '=', at.organization)
        .where('id', '=', at.environment)
        .executeTakeFirst();
      return row?.pruned_seq ?? 0;
    },
    onPublished: (callback) => storage.notifier.subscribe(publishedTopic, callback),
    async enrol(request) {
      const identity = await enrol(storage, request);
      await storage.notifier.notify(enrolledTopic, '');
      return identity;
    },
    gateway: (id) => findGateway(db, id),
    saveReport: (gateway, report) => saveReport(options, gateway, report),
    saveDisconnected: (gateway, instance) => saveDisconnected(db, gateway, instance),
    saveEvent: (event) => saveEvent(db, event),
  };
}

/** How the root came about, and its certificates of the environment's keys, newest first. */
async function readCertificates(
  { db, dialect }: Storage,
  at: EnvironmentRef,
): Promise<readonly Uint8Array[]> {
  const rows = await db
    .selectFrom('key_certificate')
    .select('bytes')
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    // A bridge whose clock is years ahead must not withhold what proves every head.
    .where('not_after_ms', '>', databaseNowMs(dialect))
    .orderBy('epoch', 'desc')
    .orderBy('not_after_ms', 'desc')
    .limit(certificatesMax)
    .execute();
  // In front: how the root that signed these came from the one that a gateway was enrolled with.
  const successions = await db
    .selectFrom('root_succession')
    .select('bytes')
    .where('organization', '=', at.organization)
    .orderBy('position')
    .execute();
  return [...successions, ...rows].map((row) => row.bytes);
}

async function readPayloads(
  { db }: Storage,
  at: EnvironmentRef,
  headers: readonly RecordHeader[],
): Promise<readonly RecordWithPayload[]> {
  const found = new Map<number, Uint8Array>();
  for (let start = 0; start < headers.length; start += seqsPerStatement) {
    const seqs = headers.slice(start, start + seqsPerStatement).map((header) => header.seq);
    const rows = await db
      .selectFrom('published_record')
      // The join leaves out what was replaced meanwhile.
      .innerJoin('published_latest', (join) =>
        join
          .onRef('published_latest.organization', '=', 'published_record.organization')
          .onRef('published_latest.environment', '=', 'published_record.environment')
          .onRef('published_latest.seq', '=', 'published_record.seq'),
      )
      .select(['published_record.seq', 'published_record.bytes'])
      .where('published_record.organization', '=', at.organization)
      .where('published_record.environment', '=', at.environment)
      .where('published_record.seq', 'in', seqs)
      .execute();
    for (const row of rows) found.set(row.seq, row.bytes);
  }
  return headers.flatMap((header) => {
    const bytes = found.get(header.seq);
    return bytes === undefined ? [] : [{ header, bytes }];
  });
}
