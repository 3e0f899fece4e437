import { type GapReason, gapReasons } from '../../proto/model/gap-reasons.ts';
import { hasTexts, type StreamName, streams } from '../../proto/spool/folder.ts';

/** Where a record stands: its spool, and its offset in it. */
export interface RecordPlace {
  readonly spool: string;
  readonly offset: number;
}

/** A range that is gone unshipped, and how far its gap record has come. */
export interface Loss {
  readonly reason: Exclude<GapReason, 'memoryFull'>;
  readonly first: number;
  readonly last: number;
  /** Where its gap record goes, noted before it is written; absent while nobody has said anything. */
  gap?: RecordPlace | undefined;
  /** The gap record is certainly there, or there is nobody to tell it to. */
  isTold: boolean;
}

/** What the ledger says of one spool. */
export interface LedgerSpool {
  readonly stream: StreamName;
  readonly environment: string;
  readonly spool: string;
  readonly organization?: string | undefined;
  readonly shipped: number;
  readonly segments: readonly { readonly first: number; readonly end?: number | undefined }[];
  readonly losses: Loss[];
}

/**
 * The spools of a ledger that was parsed; undefined when it is none.
 *
 * By hand: the thread that writes spools would hold a schema library for this alone.
 */
export function ledgerSpools(content: unknown): readonly LedgerSpool[] | undefined {
  if (typeof content !== 'object' || content === null || !('spools' in content)) return undefined;
  const { spools } = content;
  return Array.isArray(spools) && spools.every(isSpool) ? spools : undefined;
}

function isSpool(content: unknown): content is LedgerSpool {
  return (
    hasTexts(content, ['stream', 'environment', 'spool']) &&
    streams.some((stream) => stream === content.stream) &&
    (fieldOf(content, 'organization') === undefined || hasTexts(content, ['organization'])) &&
    isOffset(fieldOf(content, 'shipped')) &&
    isListOf(fieldOf(content, 'segments'), isSegment) &&
    isListOf(fieldOf(content, 'losses'), isLoss)
  );
}

function isSegment(content: unknown): boolean {
  const end = fieldOf(content, 'end');
  return isOffset(fieldOf(content, 'first')) && (end === undefined || isOffset(end));
}

function isLoss(content: unknown): boolean {
  const [reason, gap] = [fieldOf(content, 'reason'), fieldOf(content, 'gap')];
  return (
    reason !== 'memoryFull' &&
    gapReasons.some((known) => known === reason) &&
    isOffset(fieldOf(content, 'first')) &&
    isOffset(fieldOf(content, 'last')) &&
    typeof fieldOf(content, 'isTold') === 'boolean' &&
    (gap === undefined || (hasTexts(gap, ['spool']) && isOffset(fieldOf(gap, 'offset'))))
  );
}

function fieldOf(content: unknown, name: string): unknown {
  return typeof content === 'object' && content !== null ? Reflect.get(content, name) : undefined;
}

function isListOf(content: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(content) && content.every(isOne);
}

function isOffset(content: unknown): boolean {
  return Number.isSafeInteger(content) && Number(content) >= 0;
}
