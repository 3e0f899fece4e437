import { z } from 'zod';

import { EvaluationFailure } from '../../expression/failure.ts';
import { patternOf } from '../../expression/patterns.ts';

/**
 * Patterns of paths as Ant and Spring write them: `*` is any characters of a segment, `?` one, `**` any number of segments, `{name}` a
 * segment or a part of one, `{name:regex}` one that a regular expression takes.
 */
export interface AntPath {
  /** segments: those of the path, empty ones left out. */
  matches(segments: readonly string[], isCaseIgnored: boolean): boolean;
}

/** A segment of a pattern: any number of them, a text, or what judges one. */
type Piece = '**' | { readonly text: string; readonly lower: string } | ((segment: string) => boolean);

/** Compiles a pattern; matching takes time that grows with pattern times path at most. Errors: EvaluationFailure for a regular expression that cannot be used. */
export function compileAntPath(pattern: string): AntPath {
  const pieces = segmentsOfPath(pattern).map(pieceOf);
  return {
    matches(segments, isCaseIgnored) {
      let at = 0;
      let piece = 0;
      // Where the last `**` stands, and up to where it has eaten: only that one has to be tried again.
      let open = -1;
      let eaten = 0;
      while (at < segments.length) {
        const asked = pieces[piece];
        if (asked === '**') {
          open = piece;
          eaten = at;
          piece += 1;
        } else if (asked !== undefined && takes(asked, segments[at] ?? '', isCaseIgnored)) {
          piece += 1;
          at += 1;
        } else if (open !== -1) {
          eaten += 1;
          at = eaten;
          piece = open + 1;
        } else return false;
      }
      while (pieces[piece] === '**') piece += 1;
      return piece === pieces.length;
    },
  };
}

/** A field that holds one. */
export const antPath = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((pattern, context) => {
    try {
      compileAntPath(pattern);
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** The segments of a path; empty ones are none. A brace keeps slashes together. */
function segmentsOfPath(pattern: string): readonly string[] {
  return pattern.match(/(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[^/])+/g) ?? [];
}

/**
 * Whether a text is what a pattern of `*` and `?` says, in time that grows with one times the other.
 *
 * Only the last `*` has to be tried again: what came before it matched where it could first.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let piece = 0;
  let star = -1;
  let eaten = 0;
  while (at < text.length) {
    if (pattern[piece] === '*') {
      star = piece;
      eaten = at;
      piece += 1;
    } else if (piece < pattern.length && (pattern[piece] === '?' || pattern[piece] === text[at])) {
      piece += 1;
      at += 1;
    } else if (star !== -1) {
      eaten += 1;
      at = eaten;
      piece = star + 1;
    } else return false;
  }
  while (pattern[piece] === '*') piece += 1;
  return piece === pattern.length;
}

function pieceOf(segment: string): Piece {
  if (segment === '**') return '**';
  if (segment.includes('{')) {
    const pattern = patternOf(regexOf(segment));
    return (given) => pattern.matches(given);
  }
  return { text: segment, lower: segment.toLowerCase() };
}

function takes(piece: Exclude<Piece, '**'>, segment: string, isCaseIgnored: boolean): boolean {
  if (typeof piece === 'function') return piece(segment);
  const wanted = isCaseIgnored ? piece.lower : piece.text;
  const given = isCaseIgnored ? segment.toLowerCase() : segment;
  return wanted === given || (/[*?]/.test(wanted) && globMatches(wanted, given));
}

/** A segment with variables as a regular expression of the whole segment. */
function regexOf(segment: string): string {
  const pieces = segment.match(/\{(?:[^{}]|\{[^{}]*\})*\}|[^{}]+|[{}]/g) ?? [];
  return pieces.map((piece) => (/^\{.*\}$/s.test(piece) ? variableOf(piece) : globRegex(piece))).join('');
}

/** `{name}` or `{name:regex}`. */
function variableOf(piece: string): string {
  const colon = piece.indexOf(':');
  return colon === -1 ? '.*' : `(?:${piece.slice(colon + 1, -1)})`;
}

const globRegex = (text: string): string =>
  text
    .replaceAll(/[.\\+^$()|[\]{}]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
