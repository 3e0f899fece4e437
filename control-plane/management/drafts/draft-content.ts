import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { type SecretRange, secretsIn } from './draft-secrets.ts';

/*
 * A draft as it is kept: the text that somebody typed, in pieces, of which each secret has a tag. Whoever reads it sees the tag behind the
 * mask, so that a mask that comes back goes by what it stands for, wherever it stands then; a place would be another when steps change theirs.
 */

const secretPiece = z.object({ tag: z.string(), text: z.string(), isBare: z.boolean() });
type SecretPiece = z.infer<typeof secretPiece>;

const contentSchema = z.object({
  draft: z.literal(1),
  pieces: z.array(z.union([z.string(), secretPiece])),
  former: z.array(secretPiece),
});

/** A draft with its secrets, and those that were in it: what is taken out may be put in again, by an undo for one. */
export type DraftContent = z.infer<typeof contentSchema>;

/** Secrets that were in a draft and are remembered; the oldest go first. */
const formerMax = 200;

/** No draft yet. */
export const emptyDraft: DraftContent = { draft: 1, pieces: [], former: [] };

/** What is kept as one text. */
export const writeDraft = (content: DraftContent): string => JSON.stringify(content);

/** The same read; one of an earlier version is the text alone, and gets its tags. */
export function readDraft(kept: string): DraftContent {
  try {
    const read = contentSchema.safeParse(JSON.parse(kept));
    if (read.success) return read.data;
  } catch {
    // A text that is no JSON.
  }
  return typedDraft(kept, emptyDraft);
}

/** As it was typed. */
export const plainText = ({ pieces }: DraftContent): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join('');

/** As people see it: a mask with its tag in the place of each secret. */
export const shownText = ({ pieces }: DraftContent): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : shownPiece(piece))).join('');

const shownPiece = ({ tag, isBare }: SecretPiece): string => (isBare ? `"${mask}.${tag}"` : `${mask}.${tag}`);

const tagged = /("?)\*{8}\.([\w-]{12})("?)/g;

/**
 * What somebody typed over a draft: a mask with a tag stands for the secret that has it there, or had it, where a secret may stand. Any other
 * mask stays what it is; a plain one stands for what the API itself keeps in that place.
 */
export function typedDraft(typed: string, before: DraftContent): DraftContent {
  const known = new Map(
    [...before.former, ...before.pieces].flatMap((piece) =>
      typeof piece === 'string' ? [] : [[piece.tag, piece]],
    ),
  );
  const meant = withSecrets(typed, known);
  const ranges = secretsIn(meant.text);
  // A mask that was moved to where no secret stands would come out open.
  const isHeld = ({ start, end }: SecretRange): boolean =>
    ranges.some((range) => range.start <= start && end <= range.end);
  const lost = new Set(meant.kept.filter((each) => !isHeld(each)).map(({ nth }) => nth));
  const settled = lost.size === 0 ? meant : withSecrets(typed, known, lost);
  const pieces = piecesOf(settled, lost.size === 0 ? ranges : secretsIn(settled.text));
  const tags = new Set(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.tag])));
  const former = [...known.values()].filter(({ tag }) => !tags.has(tag)).slice(-formerMax);
  return { draft: 1, pieces, former };
}

interface Kept extends SecretRange {
  readonly tag: string;
  /** Which of the masks it was. */
  readonly nth: number;
}

interface Meant {
  readonly text: string;
  readonly kept: readonly Kept[];
}

/** The text with secrets in the place of their masks, but for the masks that are not to stand for any. */
function withSecrets(
  typed: string,
  known: ReadonlyMap<string, SecretPiece>,
  lost: ReadonlySet<number> = new Set(),
): Meant {
  const kept: Kept[] = [];
  let text = '';
  let copied = 0;
  [...typed.matchAll(tagged)].forEach(
    ({ 0: whole, 1: open = '', 2: tag = '', 3: close = '', index }, nth) => {
      const secret = known.get(tag);
      if (secret === undefined || lost.has(nth)) return;
      // The quotes around what needed some go with the mask.
      const isQuoted = secret.isBare && open !== '' && close !== '';
      text += typed.slice(copied, index) + (isQuoted ? '' : open);
      kept.push({
        tag,
        nth,
        start: text.length,
        end: text.length + secret.text.length,
        isBare: secret.isBare,
      });
      text += secret.text + (isQuoted ? '' : close);
      copied = index + whole.length;
    },
  );
  return { text: text + typed.slice(copied), kept };
}

/** In pieces; a secret that is all of what was kept keeps its tag. */
function piecesOf({ text, kept }: Meant, ranges: readonly SecretRange[]): DraftContent['pieces'] {
  const tags = new Map(kept.map(({ start, end, tag }) => [`${start} ${end}`, tag]));
  const pieces: DraftContent['pieces'] = [];
  let copied = 0;
  for (const { start, end, isBare } of ranges) {
    const tag = tags.get(`${start} ${end}`) ?? randomBytes(9).toString('base64url');
    pieces.push(text.slice(copied, start), { tag, text: text.slice(start, end), isBare });
    copied = end;
  }
  pieces.push(text.slice(copied));
  return pieces.filter((piece) => piece !== '');
}
