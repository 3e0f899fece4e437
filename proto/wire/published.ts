import type { SeatLedger } from './seats.ts';

/**
 * What the bridge serves and whom it believes: the port between the bridge and whoever publishes.
 *
 * control-plane/publish implements it on SQLite and PostgreSQL; deploy hands it to the bridge. The bridge holds no
 * signing key: everything signed comes out of here already signed.
 */

/** Kinds of published records, in the order in which a gateway applies them. */
export const recordKinds = [
  'gateway-settings',
  'environment-key',
  'organization-flows',
  'dictionary',
  'shared-policy-group',
  'api',
  'subscription',
  'api-key',
] as const;
/** One kind of published record. */
export type RecordKind = (typeof recordKinds)[number];

/** Names one environment of one organization; both ids are generated, never typed by people. */
export interface EnvironmentRef {
  readonly organization: string;
  readonly environment: string;
}

/**
 * One header line: what the digest is made of. About 50 bytes on the wire.
 *
 * A deletion keeps its header (isDeleted) for 30 days as a tombstone, then leaves the set in a head of its own.
 */
export interface RecordHeader {
  readonly kind: RecordKind;
  readonly id: string;
  readonly seq: number;
  /** SHA-256 of the encoded record (32 bytes). */
  readonly sha256: Uint8Array;
  /** Sharding tags; a subscription and a key carry those of their API. Sorted. */
  readonly tags: readonly string[];
  readonly isDeleted: boolean;
}

/** A header with the record's encoded bytes (proto/wire/record.proto: PublishedRecord), immutable once written. */
export interface RecordWithPayload {
  readonly header: RecordHeader;
  readonly bytes: Uint8Array;
}

/** A signed head as bytes (proto/wire/head.proto: SignedHead) with the two fields that a server sorts by. */
export interface PublishedHead extends EnvironmentRef {
  readonly epoch: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** A page of headers after a cursor, ordered by seq. */
export interface HeaderPage {
  readonly headers: readonly RecordHeader[];
  /** True when more follow after the last one. */
  readonly hasMore: boolean;
}

/** What a gateway may see; it comes from its fleet, never from what it asks. */
export interface Grant {
  readonly organization: string;
  readonly fleet: string;
  readonly environments: readonly string[];
  /** Sharding tags in the reference's notation: `a` includes, `!b` excludes; empty takes everything. */
  readonly tags: readonly string[];
  readonly tenant: string | undefined;
}

/** An enrolled gateway as the publisher knows it. */
export interface GatewayIdentity {
  readonly id: string;
  readonly grant: Grant;
  /** Raw Ed25519 public key (32 bytes) that signs its assertions. */
  readonly signingKey: Uint8Array;
  /** Raw X25519 public key (32 bytes) that the keys of environments are sealed to. */
  readonly sealingKey: Uint8Array;
  readonly isRevoked: boolean;
}

/** What a gateway presents once. */
export interface EnrolmentRequest {
  /** The enrolment token as the operator pasted it. */
  readonly token: string;
  readonly signingKey: Uint8Array;
  readonly sealingKey: Uint8Array;
  /** Host name and version, for the fleet's page. */
  readonly hostname: string;
  readonly version: string;
  /** Which gateway it was before, with that one's signature over the new signing key (proto/trust/succession.ts). */
  readonly previous?: { readonly gateway: string; readonly signature: Uint8Array } | undefined;
}

/** What a gateway says about itself every 30 s and after every applied head. */
export interface GatewayReport {
  readonly instance: string;
  readonly version: string;
  readonly hostname: string;
  readonly startedAtMs: number;
  /** Ids of the policies it can run. */
  readonly policies: readonly string[];
  /** Per environment what it serves and what it refused. */
  readonly environments: readonly AppliedState[];
  /** Open-ended figures: requests, spool bytes, dropped records, attack counters. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What one gateway serves of one environment. */
export interface AppliedState {
  readonly environment: string;
  readonly epoch: number;
  readonly seq: number;
  /** Records refused at their present revision; complete each time, so what is absent has cleared. */
  readonly nacks: readonly Nack[];
}

/** One record that a gateway refused; its previous revision stays in service. */
export interface Nack {
  readonly kind: RecordKind;
  readonly id: string;
  readonly seq: number;
  /** An error code, e.g. policy.unknown, definition.invalid, record.hash_mismatch. */
  readonly code: string;
  readonly reason: string;
}

/** Something an operator should see: a clone, a replay, a refused signature. */
export interface GatewayEvent {
  readonly gateway: string;
  readonly kind: string;
  readonly detail: string;
  readonly atMs: number;
}

/** The port. Every method rejects with storage.unavailable when the database is away; the bridge then answers 503, never 401. */
export interface PublishedRepository extends SeatLedger {
  /** The newest signed head, undefined while nothing was ever published there. */
  head(at: EnvironmentRef): Promise<PublishedHead | undefined>;
  /**
   * The signed certificates (proto/wire/head.proto: KeyCertificate) of the environment's publishing keys, newest
   * first, encoded; a gateway verifies them against the organization's root key.
   */
  certificates(at: EnvironmentRef): Promise<readonly Uint8Array[]>;
  /** Latest header per (kind, id) with seq > afterSeq, ordered by seq, tombstones included. */
  headersAfter(at: EnvironmentRef, afterSeq: number, limit: number): Promise<HeaderPage>;
  /** Latest headers of whole buckets (0..255), ordered by kind and id, for comparing. */
  headersInBuckets(at: EnvironmentRef, buckets: readonly number[]): Promise<readonly RecordHeader[]>;
  /** The 256 bucket hashes (256 x 32 bytes) that belong to the newest head. */
  bucketHashes(at: EnvironmentRef): Promise<Uint8Array>;
  /** Encoded records for those headers; a record replaced meanwhile is left out. */
  payloads(at: EnvironmentRef, headers: readonly RecordHeader[]): Promise<readonly RecordWithPayload[]>;
  /** The oldest cursor from which a delta is still complete (tombstones live 30 days); below it a snapshot is due. */
  oldestCursor(at: EnvironmentRef): Promise<number>;
  /**
   * Calls back after something was published in the environment, or when revocations changed ('' for any). A hint:
   * callers also poll every 2 s. Returns a function that unsubscribes.
   */
  onPublished(callback: (environment: string) => void): () => void;

  /** Uses an enrolment token once. Errors: trust.malformed, trust.expired, request.unauthorized (used up, revoked, unknown). */
  enrol(request: EnrolmentRequest): Promise<GatewayIdentity>;
  /** The gateway, revoked ones too; undefined when unknown. */
  gateway(id: string): Promise<GatewayIdentity | undefined>;
  /** Stores the newest report of a gateway; ignored for unknown ones. */
  saveReport(gateway: string, report: GatewayReport): Promise<void>;
  /** Marks a gateway's stream as closed. */
  saveDisconnected(gateway: string, instance: string): Promise<void>;
  saveEvent(event: GatewayEvent): Promise<void>;
}
