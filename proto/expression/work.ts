import { ThrownFailure } from './failure.ts';

/**
 * What the expressions of one request may do together. A client chooses the body and the headers that they read, so whatever grows with
 * those is paid for before it is done. A unit is some ten nanoseconds: all of it are some 40 ms.
 */
const unitsMax = 4_000_000;
/** Most different texts that are read as JSON, and as XML, and characters of one. */
const parsedMax = 16;
const parsedCharsMax = 1024 * 1024;

/** What the expressions of one request have done so far; the request keeps it, made with its first expression. */
export class Work {
  left = unitsMax;
  // A request has one or two of either, so they are looked through: a map would have to hash whole texts.
  #decoded: Decoded[] | undefined = undefined;
  #read: ReadText[] | undefined = undefined;

  get decoded(): Decoded[] {
    return (this.#decoded ??= []);
  }

  get read(): ReadText[] {
    return (this.#read ??= []);
  }

  /** Nobody is expected to ask again for what was decoded and read; who does all the same pays again. */
  forget(): void {
    this.#decoded = undefined;
    this.#read = undefined;
  }
}

/** A body as text. */
interface Decoded {
  readonly content: Uint8Array;
  readonly text: string;
}

/** A text that was read as something, with what came of it. */
interface ReadText {
  readonly as: string;
  readonly text: string;
  readonly value: unknown;
}

/** Of the evaluation that runs: it is synchronous, and there is one at a time. */
let current: Work | undefined;

/** What is evaluated until {@link endWork} is on the budget of this request. */
export function beginWork(request: { work?: Work | undefined }): void {
  current = request.work ??= new Work();
}

/** The evaluation is over. */
export function endWork(): void {
  current = undefined;
}

/** Pays for what is about to be done. Errors: a ThrownFailure once everything is spent, so that no body is large enough to skip a guard. */
export function spend(units: number): void {
  if (current === undefined) return;
  current.left -= units;
  if (current.left < 0)
    throw new ThrownFailure('the expressions of this request would take more work than they may');
}

const utf8 = new TextDecoder();

/** A body as text, decoded once per request. */
export function decoded(content: Uint8Array): string {
  const known = current?.decoded.find((one) => one.content === content);
  if (known !== undefined) return known.text;
  spend(content.length >> 5);
  const text = utf8.decode(content);
  current?.decoded.push({ content, text });
  return text;
}

/**
 * A text read once per request. as: what it is read as, for people; what was read under that name was made by the same reader.
 *
 * Errors: what `read` throws; a ThrownFailure for one that is too long, or one too many.
 */
export function readOnce<T>(
  { text, as }: { readonly text: string; readonly as: string },
  read: (text: string) => T,
): T {
  let others = 0;
  for (const known of current?.read ?? []) {
    if (known.as !== as) continue;
    if (known.text === text) return known.value as T;
    others += 1;
  }
  if (text.length > parsedCharsMax)
    throw new ThrownFailure(`${as} of more than ${parsedCharsMax} characters is not read`);
  if (others >= parsedMax)
    throw new ThrownFailure(`more than ${parsedMax} texts are read as ${as} for one request`);
  spend(text.length);
  const value = read(text);
  current?.read.push({ as, text, value });
  return value;
}
