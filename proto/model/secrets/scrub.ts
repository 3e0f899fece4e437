import { hasExpression, piecesOf, shown } from '../../expression/find.ts';
import { rootNames } from '../../expression/roots.ts';
import { Fault } from '../../faults/fault.ts';
import { isMask, mask } from '../../trust/sealed-text.ts';
import { isReference } from './names.ts';
import { mapSecrets } from './places.ts';

/** Makes what gives a text in which none of the secrets stands any more. */
export function scrubberOf(secrets: readonly string[]): (text: string) => string {
  // The longest first: a secret may be a part of another.
  const inOrder = [...new Set(secrets.flatMap(partsOf))]
    .filter((each) => each !== '')
    .toSorted((a, b) => b.length - a.length)
    .map((each) => (isShortWord.test(each) ? aloneOf(each) : each));
  return (text) => inOrder.reduce<string>((so, each) => so.replaceAll(each, () => mask), text);
}

/** One that is a part of other words, as `y` and `test` are, is not told by them. */
const isShortWord = /^[A-Za-z0-9]{1,7}$/;
const aloneOf = (word: string): RegExp => new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, 'gu');

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
  if (!(error instanceof Fault) || secrets.length === 0) return error;
  const { code, detail, internal, hint, details } = error;
  const scrub = scrubberOf(secrets);
  return new Fault(code, {
    detail: scrub(detail),
    ...(internal !== undefined && { internal: scrub(internal) }),
    ...(hint !== undefined && { hint }),
    details: details.map(({ path, message }) => ({ path, message: scrub(message) })),
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

/** The secrets that lie open in a definition of whatever form. Errors: request.invalid when it is nested too deeply to be looked through. */
export function secretsIn(definition: unknown): readonly string[] {
  const secrets: string[] = [];
  mapSecrets(definition, (value, { isSecret }) => {
    // What only names a secret is told, since somebody has to put it there.
    if (isSecret && !isMask(value) && !isReference(value)) secrets.push(value);
    return value;
  });
  return secrets;
}

/** Runs it; a fault that it throws repeats no secret of the definition, which is looked through only then. */
export function withoutSecretsOf<Result>(definition: unknown, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw error instanceof Fault ? scrubError(error, secretsIn(definition)) : error;
  }
}
