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
   * it rejects with blobs.conflict, unless `isSound` says that what is there is not what its key promises, or it cannot be read (a
   * store may keep half of a put that failed): then it is 'replaced'. Errors: blobs.unavailable (worth retrying).
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<'stored' | 'existed' | 'replaced'>;
  /** The object, or undefined when there is none. Errors: blobs.too_large when it has more bytes than wished for. */
  get(key: string, options?: { readonly bytesMax?: number }): Promise<Uint8Array | undefined>;
  /** Makes or replaces one object by another's content, without reading it; false when there is none to copy. */
  copy(from: string, to: string): Promise<boolean>;
  /** Objects under a prefix in key order, those up to `after` left out; paged inside, stops when the caller does. */
  list(prefix: string, options?: { readonly after?: string }): AsyncIterable<ListedBlob>;
  /** Folders so many levels below a prefix that ends in a slash, e.g. ['org=a/env=b', 'org=a/env=c'] for 2, in order. */
  folders(prefix: string, depth?: number): AsyncIterable<string>;
  /** Deleting what is not there succeeds. */
  delete(key: string): Promise<void>;
}

/** A bucket that a process has in use, and how it does. */
export interface UsedBucket extends BlobStore {
  /** Why it cannot be used now, in words for operators; undefined while it can. Health asks, so it is told from what was met before. */
  trouble(): string | undefined;
}

/** One line of a listing. */
export interface ListedBlob {
  readonly key: string;
  readonly bytes: number;
  /** When it was stored, by the store's clock; ms since the epoch. Undefined where the store does not say. */
  readonly writtenMs: number | undefined;
}

/** How an object is put. */
export interface PutOptions {
  readonly ifAbsent?: boolean;
  /** With ifAbsent: whether the bytes that are there already are those that the key promises. */
  readonly isSound?: (present: Uint8Array) => boolean;
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
