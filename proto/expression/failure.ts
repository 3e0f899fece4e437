/** An evaluation that has no value: a missing member, a wrong kind, a bound. It ends in `evaluate`, never in the gateway. */
export class EvaluationFailure extends Error {}

/**
 * A failure that no condition may take for "does not hold": what a called method throws, a division by 0, work past its bound. A guard
 * whose condition fails like that must not be skipped, since a client may have meant it to fail.
 */
export class ThrownFailure extends EvaluationFailure {}

/** A value of the wrong kind, for a method's argument too: whoever passes it on to a method is to blame, not the method. */
export class ConversionFailure extends EvaluationFailure {}

export function fail(why: string): never {
  throw new EvaluationFailure(why);
}

/** What a method does: its failures are thrown ones, but for those of arguments of the wrong kind. */
export function calling<Value>(run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConversionFailure || !(error instanceof EvaluationFailure)) throw error;
    throw error instanceof ThrownFailure ? error : new ThrownFailure(error.message);
  }
}

/** How a rendering says why it has no value; anything but such a failure is thrown on. */
export function failedOf(error: unknown): FailedRendering {
  // A RangeError is V8's own bound, of a text or of the stack.
  if (error instanceof ThrownFailure || error instanceof RangeError)
    return { kind: 'failed', why: error.message, isThrown: true };
  if (error instanceof EvaluationFailure) return { kind: 'failed', why: error.message };
  throw error;
}

/** A rendering without a value. isThrown: it failed as {@link ThrownFailure} says. */
export interface FailedRendering {
  readonly kind: 'failed';
  readonly why: string;
  readonly isThrown?: true | undefined;
}
