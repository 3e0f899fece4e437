/**
 * The port to a bucket: a folder on disk or an S3-protocol store.
 *
 * control-plane/storage/blobs implements it; the bridge streams uploads into it and the ingester reads from it. Keys
 * are relative, `/`-separated, of `[A-Za-z0-9=._-]` segments, at most 1,024 bytes; `..` and empty segments are refused.
 */
export interface BlobStore {
  /**
   * Writes an object whole: a reader sees all of it or nothing, and it is durable when the promise resolves.
   *
   * ifAbsent: when the key exists with the same content the call succeeds and says 'existed'; with other content
   * it rejects with blobs.conflict. Errors: blobs.unavailable (worth retrying).
   */
  put(
    key: string,
    bytes: Uint8Array,
    options?: { readonly ifAbsent?: boolean },
  ): Promise<'stored' | 'existed'>;
  /** The object, or undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Objects under a prefix in key order, paged inside; stops when the caller does. */
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly bytes: number }>;
  /** Deleting what is not there succeeds. */
  delete(key: string): Promise<void>;
}

/** Where a batch of access records lands; see landing.ts for the codec. */
export interface LandingKey {
  readonly stream: 'records' | 'logs';
  readonly organization: string;
  readonly environment: string;
  readonly fleet: string;
  readonly gateway: string;
  /** 32 hex digits. */
  readonly spool: string;
  /** Offset of the first record in its spool. */
  readonly first: number;
  /** Offset of the last record, inclusive. */
  readonly last: number;
  /** First 8 hex digits of the SHA-256 of the compressed bytes. */
  readonly hash8: string;
}
