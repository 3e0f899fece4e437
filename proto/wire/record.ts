import {
  readBytes,
  readFlag,
  readKind,
  readList,
  readName,
  readOptionalUint,
  readTags,
  readText,
  readUint,
} from './fields.ts';
import { wireLimits } from './limits.ts';
import type { EnvironmentRef, RecordKind } from './published.ts';
import { messageCodec, type RawMessage } from './schema.ts';

/** A field of a payload that travels sealed to one gateway's key. */
export interface SealedField {
  readonly path: string;
  readonly keyId: string;
  readonly sealed: Uint8Array;
}

/** One immutable published record; its header line carries the SHA-256 of its encoded bytes. */
export interface PublishedRecord extends EnvironmentRef {
  /** May be a kind of a later version; ask isKnownKind (fields.ts) before applying. */
  readonly kind: RecordKind;
  readonly id: string;
  readonly seq: number;
  /** What people call this state, e.g. '3' for the third deployment of an API. */
  readonly revision: string;
  /** Sorted. */
  readonly tags: readonly string[];
  readonly wave?: number;
  /** Not to be applied before, ms since the epoch. */
  readonly notBeforeMs?: number;
  readonly isDeleted: boolean;
  /** The message of its kind (payloads.ts); empty when deleted. */
  readonly payload: Uint8Array;
  readonly sealed?: readonly SealedField[];
  /** Fields of a later version, kept byte for byte. */
  readonly unknown?: readonly Uint8Array[];
}

const codec = messageCodec('PublishedRecord');

/** Encodes a record; fields kept from a later version are written back behind the known ones. */
export function encodeRecord(record: PublishedRecord): Uint8Array {
  const { unknown, sealed, wave, notBeforeMs, tags, isDeleted, ...required } = record;
  return codec.encode({
    ...required,
    ...(tags.length > 0 && { tags }),
    ...(isDeleted && { isDeleted }),
    ...(wave !== undefined && { wave }),
    ...(notBeforeMs !== undefined && { notBeforeMs }),
    ...(sealed !== undefined && sealed.length > 0 && { sealed }),
    ...(unknown !== undefined && { $unknowns: unknown }),
  });
}

/** Decodes a record. Errors: wire.malformed, wire.too_large. */
export function decodeRecord(bytes: Uint8Array): PublishedRecord {
  const raw = codec.decode(bytes, wireLimits.recordBytesMax);
  const wave = readOptionalUint(raw['wave'], 'wave');
  const notBeforeMs = readOptionalUint(raw['notBeforeMs'], 'notBeforeMs');
  const sealed = readList(
    raw['sealed'],
    { path: 'sealed', itemsMax: wireLimits.sealedFieldsMax },
    readSealed,
  );
  return {
    organization: readName(raw['organization'], 'organization'),
    environment: readName(raw['environment'], 'environment'),
    kind: readKind(raw['kind'], 'kind'),
    id: readName(raw['id'], 'id'),
    seq: readUint(raw['seq'], 'seq'),
    revision: readText(raw['revision'], 'revision', wireLimits.revisionCharsMax),
    tags: readTags(raw['tags'], 'tags'),
    ...(wave !== undefined && { wave }),
    ...(notBeforeMs !== undefined && { notBeforeMs }),
    isDeleted: readFlag(raw['isDeleted']),
    payload: readBytes(raw['payload'], 'payload', wireLimits.recordBytesMax),
    ...(sealed.length > 0 && { sealed }),
    ...(raw.$unknowns !== undefined && { unknown: raw.$unknowns }),
  };
}

function readSealed(value: unknown, path: string): SealedField {
  const raw = value as RawMessage;
  return {
    path: readName(raw['path'], `${path}.path`),
    keyId: readName(raw['keyId'], `${path}.keyId`),
    sealed: readBytes(raw['sealed'], `${path}.sealed`, wireLimits.recordBytesMax),
  };
}
