import { Fault } from '../../faults/fault.ts';
import { mask } from '../../trust/sealed-text.ts';

/** A text in which none of the secrets stands any more. */
function scrubText(text: string, secrets: readonly string[]): string {
  // The longest first: a secret may be a part of another.
  const inOrder = secrets.filter((each) => each !== '').toSorted((a, b) => b.length - a.length);
  return inOrder.reduce((so, each) => so.replaceAll(each, mask), text);
}

/** What was thrown, without the secrets in what it says; anything but a fault as it is, since nobody is shown that. */
export function scrubError(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Fault)) return error;
  const { code, detail, internal, hint, details } = error;
  return new Fault(code, {
    detail: scrubText(detail, secrets),
    ...(internal !== undefined && { internal: scrubText(internal, secrets) }),
    ...(hint !== undefined && { hint }),
    details: details.map(({ path, message }) => ({ path, message: scrubText(message, secrets) })),
  });
}

/** Runs it; a fault that it throws repeats none of the secrets. */
export function withoutSecrets<Result>(secrets: readonly string[], work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw scrubError(error, secrets);
  }
}
