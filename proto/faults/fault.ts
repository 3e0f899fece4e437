import { codes, type Code, type FaultCode } from './codes.ts';

/** Where a fault happened inside bad input, e.g. { path: 'listeners[0].paths[0].path', message: 'must start with /' }. */
export interface FaultDetail {
  /** Path of the field in dotted form, `[n]` for list items. */
  readonly path: string;
  /** What is wrong with it and what would be right. */
  readonly message: string;
}

/** What a fault may carry beside its code; see {@link Fault}. */
export interface FaultOptions {
  /** One sentence for strangers; it must be safe to show to a caller. Default: the code's public text. */
  readonly detail?: string;
  /** For our own log only: ids, paths, sizes; never a secret. */
  readonly internal?: string | undefined;
  readonly cause?: unknown;
  /** What the caller can do about it. Default: the code's hint. */
  readonly hint?: string;
  /** What a program may read of it, under the reference's names, e.g. { clientId: 'shop' }. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Every field that is wrong, all at once. */
  readonly details?: readonly FaultDetail[];
}

/**
 * The one error class: an expected failure with a registered code.
 *
 * A bug is any other throwable; doors answer it with 500 `platform.bug` and log its stack.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly detail: string;
  readonly internal: string | undefined;
  readonly hint: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly details: readonly FaultDetail[];

  constructor(code: FaultCode, options: FaultOptions = {}) {
    const entry: Code = codes[code];
    const detail = options.detail ?? entry.text;
    super(`${code}: ${detail}${options.internal === undefined ? '' : ` (${options.internal})`}`, {
      cause: options.cause,
    });
    this.code = code;
    this.detail = detail;
    this.internal = options.internal;
    this.hint = options.hint ?? entry.hint;
    this.parameters = options.parameters ?? {};
    this.details = options.details ?? [];
  }

  /** The HTTP status that a door answers with. */
  get status(): number {
    return codes[this.code].status;
  }

  /** Whether it is for the caller alone to do something about it. */
  get isOfClient(): boolean {
    return codes[this.code].owner === 'client';
  }
}

/** States what cannot be otherwise; when it is, that is a bug and not a Fault. */
export function invariant(holds: unknown, claim: string): asserts holds {
  if (!holds) throw new Error(`invariant broken: ${claim}`);
}
