import { malformed } from './fields.ts';
import { bodyReaders } from './frame-bodies.ts';
import { wireLimits } from './limits.ts';
import type { GatewayReport, Nack, AppliedState, RecordHeader } from './published.ts';
import { messageCodec, type RawMessage } from './schema.ts';

/** The version of the stream protocol; a bridge speaks to clients of this version and the two before. */
export const protocolVersion = 1;

/** What a client holds of one environment when it says hello. */
export interface HeldEnvironment {
  readonly environment: string;
  /** 0 with seq 0 when it holds nothing. */
  readonly epoch: number;
  readonly seq: number;
  /** Digest of the headers it holds (32 bytes); empty when it holds nothing. */
  readonly digest: Uint8Array;
  readonly refused: readonly Nack[];
}

/** The client's first frame: what it is and has. The server trusts nothing it remembered of the client. */
export interface HelloFrame {
  readonly kind: 'hello';
  readonly protocol: number;
  /** Random for each process start; tells a restart from a clone. */
  readonly instance: string;
  readonly version: string;
  readonly hostname: string;
  readonly startedAtMs: number;
  /** Ids of the policies it can run. */
  readonly policies: readonly string[];
  readonly environments: readonly HeldEnvironment[];
  /** Tags it would like; only those of its fleet are given. */
  readonly tags: readonly string[];
}

/** The server's first frame: what is granted. */
export interface WelcomeFrame {
  readonly kind: 'welcome';
  readonly protocol: number;
  readonly gateway: string;
  readonly organization: string;
  readonly fleet: string;
  readonly environments: readonly string[];
  readonly tags: readonly string[];
  readonly tenant?: string;
  readonly bridgeTimeMs: number;
  readonly frameBytesMax: number;
  /** A ping comes this often; after 1.5 times of silence either side gives the stream up. */
  readonly pingMs: number;
}

/** Signed certificates of the environment's publishing keys. */
export interface CertificatesFrame {
  readonly kind: 'certificates';
  readonly environment: string;
  readonly certificates: readonly Uint8Array[];
}

/**
 * Header lines, after an announced head that bounds them. All headers and payloads frames since the previous closing
 * head belong to the next one: gather them aside until it comes. With isFull the set replaces what the client holds, once it is verified.
 */
export interface HeadersFrame {
  readonly kind: 'headers';
  readonly environment: string;
  readonly isFull: boolean;
  readonly headers: readonly RecordHeader[];
}

/** Encoded records (record.ts) that the client is entitled to; each is proven by the header with its hash. */
export interface PayloadsFrame {
  readonly kind: 'payloads';
  readonly environment: string;
  readonly records: readonly Uint8Array[];
}

/** The signed head (head.ts) that closes a batch, or a fresh signature over the same set. */
export interface HeadFrame {
  readonly kind: 'head';
  readonly environment: string;
  readonly head: Uint8Array;
  /**
   * The batch goes on. Before header lines such a head says how many there may be; after them it proves them, so that
   * payloads are taken for proven lines only.
   */
  readonly isAnnounced?: true;
}

/** The client serves this now; nacks are complete, so what is absent has cleared. */
export interface AppliedFrame extends AppliedState {
  readonly kind: 'applied';
}

/** The client's report, every 30 s. */
export interface HeartbeatFrame {
  readonly kind: 'heartbeat';
  readonly report: GatewayReport;
}

/** The client's 256 bucket hashes, sent when its set does not give the head's digest. */
export interface BucketsFrame {
  readonly kind: 'buckets';
  readonly environment: string;
  /** 256 x 32 bytes. */
  readonly hashes: Uint8Array;
}

/**
 * The headers of the differing buckets, whole: they replace those buckets. Several frames may follow each other; the
 * one with isLast ends the answer; payloads and the head come after it.
 */
export interface BucketHeadersFrame {
  readonly kind: 'bucketHeaders';
  readonly environment: string;
  /** All buckets of the answer, in every frame of it. */
  readonly buckets: readonly number[];
  readonly headers: readonly RecordHeader[];
  readonly isLast: boolean;
}

/** Why the stream ends; the last frame of either side. */
export interface CloseFrame {
  readonly kind: 'close';
  readonly code: string;
  readonly reason: string;
  readonly retryAfterMs?: number;
  readonly bridgeTimeMs: number;
}

/** A sign of life from the server. */
export interface PingFrame {
  readonly kind: 'ping';
  readonly atMs: number;
}

/** One frame of the stream, of a poll body or of a snapshot. */
export type Frame =
  | HelloFrame
  | WelcomeFrame
  | CertificatesFrame
  | HeadersFrame
  | PayloadsFrame
  | HeadFrame
  | AppliedFrame
  | HeartbeatFrame
  | BucketsFrame
  | BucketHeadersFrame
  | CloseFrame
  | PingFrame;

/** The kind of a frame; also the name of its field in frames.proto. */
export type FrameKind = Frame['kind'];

const codec = messageCodec('Frame');

/** Encodes one frame. Errors: wire.too_large, which is the sender's fault: it should have split. */
export function encodeFrame(frame: Frame): Uint8Array {
  return codec.encode({ [frame.kind]: bodyOf(frame) });
}

/**
 * Decodes one frame; undefined for a frame kind of a later version, which a reader skips.
 *
 * Errors: wire.malformed names the field, wire.too_large.
 */
export function decodeFrame(
  bytes: Uint8Array,
  bytesMax: number = wireLimits.frameBytesMax,
): Frame | undefined {
  const raw = codec.decode(bytes, bytesMax);
  const kinds = (Object.keys(bodyReaders) as FrameKind[]).filter((kind) => Object.hasOwn(raw, kind));
  const [kind] = kinds;
  if (kind === undefined) {
    if (raw.$unknowns === undefined) malformed('frame', 'holds no body');
    return undefined;
  }
  return bodyReaders[kind](raw[kind] as RawMessage);
}

function bodyOf(frame: Frame): Readonly<Record<string, unknown>> {
  switch (frame.kind) {
    case 'heartbeat':
      return { ...frame.report };
    case 'bucketHeaders':
      return { ...frame, buckets: Uint8Array.from(frame.buckets) };
    default:
      return Object.fromEntries(Object.entries(frame).filter(([, value]) => value !== undefined));
  }
}
