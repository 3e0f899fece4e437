import type { Work } from './work.ts';

/** Header lines, by lower-case name. */
export interface ScopeHeaders {
  get(lowerName: string): string | undefined;
  getAll(lowerName: string): readonly string[];
  /** Calls back per line in order, with the case as received or set. */
  forEach(visit: (name: string) => void): void;
}

/** What of a request in hand an expression may read. */
export interface ExpressionScope {
  readonly request: {
    readonly id: string;
    readonly transactionId: string;
    readonly method: string;
    readonly path: string;
    readonly pathInfo: string;
    readonly contextPath: string;
    readonly query: string | undefined;
    readonly host: string;
    readonly scheme: string;
    readonly remoteAddress: string;
    readonly headers: ScopeHeaders;
    /** Undefined where no step needed it whole. */
    readonly content: Uint8Array | undefined;
  };
  /** Undefined until there is an answer. */
  readonly response:
    | {
        readonly status: number;
        readonly headers: ScopeHeaders;
        readonly content: Uint8Array | undefined;
      }
    | undefined;
  readonly attributes: ReadonlyMap<string, unknown>;
  /** Ms since the epoch. */
  readonly startedAtMs: number;
  /** What its expressions have done so far; theirs alone. */
  work?: Work | undefined;
}
