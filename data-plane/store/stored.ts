import { z } from 'zod';
import { recordKinds, type Nack, type RecordHeader, type RecordKind } from '../../proto/wire/published.ts';

/** A header with the encoded record, or without when this gateway is not entitled to it. */
export interface StoredRecord {
  readonly header: RecordHeader;
  readonly bytes: Uint8Array | undefined;
  /** The encoded record that is served instead, because this one was refused. The store keeps it itself; it is given one only with a whole set that goes into a new file. */
  readonly previous?: Uint8Array;
  /** What {@link ProofOfPredecessor} said of it; as little to be believed as the rest of the file. */
  readonly previousProof?: Uint8Array | undefined;
}

/** Proves to this gateway, when it reads the file again, what it served in place of a record that it refused. */
export type ProofOfPredecessor = (
  header: Pick<RecordHeader, 'kind' | 'id' | 'sha256'>,
  previous: Uint8Array,
) => Uint8Array;

/** What is kept of one environment beside its records; all of it belongs to one verified head. */
export interface StoredEnvironment {
  readonly organization: string;
  readonly environment: string;
  readonly epoch: number;
  readonly seq: number;
  /** The signed head as received (proto/wire/head.proto: SignedHead). */
  readonly head: Uint8Array;
  /** The encoded certificates that prove the head's key. */
  readonly certificates: readonly Uint8Array[];
  /** The gateway's sharding tags that decided which payloads are here. */
  readonly tags: readonly string[];
  /** Records refused at their present revision. */
  readonly refused: readonly Nack[];
  /** Wall clock of when it was applied. */
  readonly appliedAtMs: number;
}

/** The highest head ever verified of one environment; anything older is a rollback. */
export interface SeenHead {
  readonly environment: string;
  readonly epoch: number;
  readonly seq: number;
  /** A second set under the same seq is a rollback too. */
  readonly digest: Uint8Array;
}

const kinds = z.enum(recordKinds);
const tagList = z.array(z.string());
const environmentRow = z.object({
  environment: z.string(),
  organization: z.string(),
  epoch: z.number(),
  seq: z.number(),
  head: z.instanceof(Uint8Array),
  certificates: z.string(),
  tags: z.string(),
  refused: z.string(),
  applied_at: z.number(),
});
const refusedList = z.array(
  z.object({ kind: kinds, id: z.string(), seq: z.number(), code: z.string(), reason: z.string() }),
);

/** Row to environment; throws when the row is not one that {@link environmentToRow} made. */
export function environmentFromRow(row: unknown): StoredEnvironment {
  const { applied_at: appliedAtMs, certificates, tags, refused, ...plain } = environmentRow.parse(row);
  return {
    ...plain,
    appliedAtMs,
    certificates: tagList.parse(JSON.parse(certificates)).map((text) => Buffer.from(text, 'base64')),
    tags: tagList.parse(JSON.parse(tags)),
    refused: refusedList.parse(JSON.parse(refused)),
  };
}

/** Environment to the named parameters of the statement that saves it. */
export function environmentToRow(state: StoredEnvironment): Readonly<Record<string, unknown>> {
  return {
    ...state,
    certificates: JSON.stringify(state.certificates.map((bytes) => Buffer.from(bytes).toString('base64'))),
    tags: JSON.stringify(state.tags),
    refused: JSON.stringify(state.refused),
  };
}

/** A row in the column order of the statement `records`; only what the digest does not prove is checked here. */
export type RecordRow = readonly [
  kind: RecordKind,
  id: string,
  seq: number,
  sha256: Uint8Array,
  tags: string,
  isDeleted: number,
  bytes: Uint8Array | null,
  previous: Uint8Array | null,
];

// Nearly every record has the same few tag lists; parsing 100,000 of them apart cost a third of a cold start.
const tagLists = new Map<string, readonly string[]>([['[]', []]]);
const tagListsMax = 1_000;

/** Row to record. Cost: about a microsecond; a cold start does 110,000. */
export function recordFromRow(row: RecordRow): StoredRecord {
  const [kind, id, seq, sha256, tagsText, isDeleted, bytes, previous] = row;
  let tags = tagLists.get(tagsText);
  if (tags === undefined) {
    tags = tagList.parse(JSON.parse(tagsText));
    if (tagLists.size < tagListsMax) tagLists.set(tagsText, tags);
  }
  const header = { kind, id, seq, sha256, tags, isDeleted: isDeleted === 1 };
  return { header, bytes: bytes ?? undefined, ...(previous !== null && { previous }) };
}

/** Record to the positional parameters of the statement that saves it. */
export function recordToRow(
  environment: string,
  { header, bytes, previous }: StoredRecord,
): readonly unknown[] {
  return [
    environment,
    header.kind,
    header.id,
    header.seq,
    header.sha256,
    header.tags.length === 0 ? '[]' : JSON.stringify(header.tags),
    header.isDeleted ? 1 : 0,
    bytes ?? null,
    previous ?? null,
  ];
}
