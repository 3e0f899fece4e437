import type { Generated } from 'kysely';

/**
 * Every table of the database, one interface each, with the same names as its columns.
 *
 * The tables of publish and storage stand here; every other one stands in the store that writes it and joins in there
 * (`declare module '.../storage/tables.ts'`), since storage knows no room above it.
 *
 * The same on both dialects: ids are text, times and counters integers (ms since the epoch), booleans 0 or 1, lists
 * and objects JSON in text, keys and records bytes. A column is never dropped or renamed; see migrations/.
 */
export interface Database extends PlatformTables, StorageTables, SeatTables {}

// ---- platform (0001): organizations, what is published, fleets -----------------------------------------------------

/** The tables of control-plane/publish. */
export interface PlatformTables {
  organization: OrganizationTable;
  environment: EnvironmentTable;
  organization_root: OrganizationRootTable;
  root_succession: RootSuccessionTable;
  signing_key: SigningKeyTable;
  data_key: DataKeyTable;
  sealed_fields: SealedFieldsTable;
  key_certificate: KeyCertificateTable;
  published_record: PublishedRecordTable;
  published_latest: PublishedLatestTable;
  published_head: PublishedHeadTable;
  fleet: FleetTable;
  enrolment_token: EnrolmentTokenTable;
  gateway: GatewayTable;
  tag_history: TagHistoryTable;
  gateway_report: GatewayReportTable;
  gateway_applied: GatewayAppliedTable;
  gateway_nack: GatewayNackTable;
  gateway_event: GatewayEventTable;
  lease: LeaseTable;
}

/** A tenant. */
export interface OrganizationTable {
  readonly id: string;
  name: string;
  description: string;
  /** Human-readable id, as in the reference's `hrids`. */
  hrid: string;
  /** The mode of its flows: DEFAULT or BEST_MATCH. */
  flow_mode: Generated<string>;
  match_required: Generated<number>;
  /** JSON, as they were written. */
  flows: Generated<string>;
  /** 1, 2, 3 ... with each change of its flows. */
  flows_version: Generated<number>;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** A part of a tenant that gateways serve; its row lock orders everything that is published in it. */
export interface EnvironmentTable {
  /** Unique over all organizations. */
  readonly id: string;
  readonly organization: string;
  name: string;
  description: string;
  hrid: string;
  /** Rises on restore, so that gateways follow a database that went back in time. */
  epoch: number;
  /** The last sequence number given out; only publish touches it, under the row lock. */
  seq: number;
  /** Seq of the newest tombstone that left the set: a cursor below it may have missed a deletion. */
  pruned_seq: number;
  /** null while people work in it. */
  archived_at_ms: Generated<number | null>;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** The key pair that everything in an organization is trusted through. */
export interface OrganizationRootTable {
  readonly organization: string;
  /** Raw Ed25519, 32 bytes. */
  public_key: Uint8Array;
  /** Sealed under the key-encryption key with context `root:<organization>`. */
  sealed_private_key: Uint8Array;
  readonly created_at_ms: number;
}

/** One signed step from a root to the next (0017); bridges send all of them with the certificates. */
export interface RootSuccessionTable {
  readonly organization: string;
  /** 0 for the first. */
  readonly position: number;
  /** Encoded and signed (proto/wire/head.proto). */
  readonly bytes: Uint8Array;
  readonly created_at_ms: number;
}

/** A key that signs heads of one environment. */
export interface SigningKeyTable {
  /** Generated; the `keyId` of heads and certificates. */
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly public_key: Uint8Array;
  /** Sealed with context `signing:<environment>:<id>`. */
  sealed_private_key: Uint8Array;
  /** 1 for the one that signs now. */
  is_active: number;
  readonly created_at_ms: number;
}

/** A key that seals secrets of definitions (0027). */
export interface DataKeyTable {
  readonly organization: string;
  /** Empty for what the organization keeps itself. */
  readonly environment: string;
  /** 1, 2, 3 ...; the last one seals. */
  readonly position: number;
  /** What sealed texts name it by. */
  readonly id: string;
  /** Sealed under the key-encryption key. */
  sealed_key: Uint8Array;
  readonly created_at_ms: number;
}

/** Which secret fields were looked for when everything that lay in the database was sealed (0027). */
export interface SealedFieldsTable {
  /** Of their names. */
  readonly digest: string;
  readonly sealed_at_ms: number;
}

/** The root's word that a key signs heads of an epoch. */
export interface KeyCertificateTable {
  readonly organization: string;
  readonly environment: string;
  readonly key_id: string;
  readonly epoch: number;
  readonly not_before_ms: number;
  readonly not_after_ms: number;
  /** Encoded and signed (proto/wire/head.proto). */
  readonly bytes: Uint8Array;
}

/** Everything ever published; rows are written once. */
export interface PublishedRecordTable {
  readonly organization: string;
  readonly environment: string;
  readonly seq: number;
  readonly kind: string;
  readonly id: string;
  /** What people call this state, e.g. '3'. */
  readonly revision: string;
  /** Encoded PublishedRecord. */
  bytes: Uint8Array;
  readonly actor: string;
  readonly created_at_ms: number;
}

/** The header line per (kind, id) that the digest is made of. */
export interface PublishedLatestTable {
  readonly organization: string;
  readonly environment: string;
  readonly kind: string;
  readonly id: string;
  seq: number;
  revision: string;
  /** 0..255. */
  readonly bucket: number;
  sha256: Uint8Array;
  /** JSON, sorted. */
  tags: string;
  is_deleted: number;
  updated_at_ms: number;
}

/** The newest head of an environment with the 256 bucket hashes that it was made of, in one row so that they agree. */
export interface PublishedHeadTable {
  readonly organization: string;
  readonly environment: string;
  epoch: number;
  seq: number;
  count: number;
  /** 256 x 32 bytes. */
  bucket_hashes: Uint8Array;
  issued_at_ms: number;
  key_id: string;
  /** Encoded and signed (proto/wire/head.proto). */
  bytes: Uint8Array;
}

/** Gateways that serve the same things. */
export interface FleetTable {
  readonly id: string;
  readonly organization: string;
  name: string;
  description: string;
  /** JSON list in the reference's notation (`a`, `!b`). */
  tags: string;
  tenant: string | null;
  /** JSON list of environment ids. */
  environments: string;
  revision: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** What lets gateways into a fleet; the token itself is shown once and not kept. */
export interface EnrolmentTokenTable {
  readonly id: string;
  readonly organization: string;
  readonly fleet: string;
  /** SHA-256 of the secret inside the token. */
  readonly secret_sha256: Uint8Array;
  readonly expires_at_ms: number;
  /** null: as often as wanted. */
  readonly uses_max: number | null;
  uses: number;
  is_revoked: number;
  readonly created_by: string;
  readonly created_at_ms: number;
}

/** An enrolled gateway. */
export interface GatewayTable {
  readonly id: string;
  readonly organization: string;
  readonly fleet: string;
  readonly token: string;
  readonly signing_key: Uint8Array;
  readonly sealing_key: Uint8Array;
  hostname: string;
  version: string;
  is_revoked: number;
  readonly enrolled_at_ms: number;
  revoked_at_ms: number | null;
  /** The gateway that it was before it enrolled again, proven by that one's key. */
  readonly previous: string | null;
}

/** Every set of tags that an API or a fleet ever had: what a gateway may have served at some time. Nothing goes from it. */
export interface TagHistoryTable {
  readonly organization: string;
  /** Empty for a fleet. */
  readonly environment: string;
  readonly kind: 'api' | 'fleet';
  readonly id: string;
  /** JSON list, sorted. */
  readonly tags: string;
}

/** The newest report of a gateway. */
export interface GatewayReportTable {
  readonly gateway: string;
  readonly organization: string;
  instance: string;
  started_at_ms: number;
  /** JSON list of policy ids. */
  policies: string;
  /** JSON object. */
  counters: string;
  is_connected: number;
  received_at_ms: number;
}

/** What a gateway serves of an environment. */
export interface GatewayAppliedTable {
  readonly gateway: string;
  readonly organization: string;
  readonly environment: string;
  epoch: number;
  seq: number;
  /** When this (epoch, seq) was first reported. */
  applied_at_ms: number;
}

/** A record that a gateway refuses now. */
export interface GatewayNackTable {
  readonly gateway: string;
  readonly organization: string;
  readonly environment: string;
  readonly kind: string;
  readonly id: string;
  readonly seq: number;
  readonly code: string;
  readonly reason: string;
  readonly at_ms: number;
}

/** Something an operator should see. */
export interface GatewayEventTable {
  readonly id: string;
  readonly organization: string;
  readonly gateway: string;
  readonly kind: string;
  readonly detail: string;
  readonly at_ms: number;
}

/** A chore that one control plane at a time does. */
export interface LeaseTable {
  readonly name: string;
  holder: string;
  /** By the database's clock. */
  expires_at_ms: number;
  /** How long it was taken for: an expiry further ahead is not believed. */
  lease_ms: number;
}

// ---- storage (0004): the bucket that belongs to this database --------------------------------------------------------

/** The tables of control-plane/storage itself. */
export interface StorageTables {
  bucket: BucketTable;
  database_generation: DatabaseGenerationTable;
}

/** One row (0015): random, made anew by every restore, so that who held the database before knows it from another; see hold.ts. */
export interface DatabaseGenerationTable {
  readonly singleton: 1;
  generation: string;
}

/** One row: the identity that the bucket must bear; see bucket-identity.ts. */
export interface BucketTable {
  readonly singleton: 1;
  identity: string;
  /** Of a bucket that is being adopted: it may bear this one already. */
  next_identity: string | null;
  /** Where it was when the control plane last claimed or adopted it, in words for people. */
  location: string;
  /** null: chosen, but not yet known to be written in the bucket. */
  confirmed_at_ms: number | null;
}

// ---- seats (0006): proofs of identity that were used, and which process of an identity sits -------------------------

/** The tables of control-plane/publish/seats.ts; bridges write them. */
export interface SeatTables {
  bridge_nonce_key: BridgeNonceKeyTable;
  used_nonce: UsedNonceTable;
  gateway_seat: GatewaySeatTable;
}

/** What nonces are made with; a new one every few minutes. */
export interface BridgeNonceKeyTable {
  /** 16 hex digits. */
  readonly id: string;
  readonly key_bytes: Uint8Array;
  readonly created_at_ms: number;
}

/** A nonce that was presented; kept until it would be refused for its age. */
export interface UsedNonceTable {
  readonly nonce: string;
  readonly expires_at_ms: number;
}

/** The seat of one role of one identity (proto/trust/seats.ts). */
export interface GatewaySeatTable {
  readonly gateway: string;
  readonly role: string;
  instance: string;
  hostname: string;
  source: string;
  /** Hashes of tickets. */
  ticket: string | null;
  next_ticket: string | null;
  /** 1 when the holder passed a door since its claim. */
  next_arrived: number;
  generation: number;
  lease_until_ms: number;
  claimed_at_ms: number;
  /** JSON; null when nobody was refused. */
  rival: string | null;
}
