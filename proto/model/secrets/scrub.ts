import { hasExpression, piecesOf, shown } from '../../expression/find.ts';
import { rootNames } from '../../expression/roots.ts';
import { Fault } from '../../faults/fault.ts';
import { mask } from '../../trust/sealed-text.ts';

/** A text in which none of the secrets stands any more. */
function scrubText(text: string, secrets: readonly string[]): string {
  // The longest first: a secret may be a part of another.
  const inOrder = secrets
    .flatMap(partsOf)
    .filter((each) => each !== '')
    .toSorted((a, b) => b.length - a.length);
  return inOrder.reduce((so, each) => so.replaceAll(each, mask), text);
}

/** Words of at least three characters, and whatever else stands together; less of a secret is next to nothing, and stands in every message. */
const words = /[\p{L}\p{N}_$-]{3,}|[^\s\p{L}\p{N}_'"()[\]{}#.,]{3,}/gu;

/** What a message may repeat of a secret: all of it, and of one that is read as an expression any word that is none of the language's own. */
function partsOf(secret: string): readonly string[] {
  if (!hasExpression(secret)) return [secret];
  const own = rootNames();
  // A long one is shown cut, in the midst of a word.
  const cut = piecesOf(secret).flatMap((piece) => (piece.kind === 'expression' ? [shown(piece.source)] : []));
  return [secret, ...cut, ...(secret.match(words) ?? []).filter((word) => !own.includes(word))];
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
