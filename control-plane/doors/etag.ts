import { createHash } from 'node:crypto';

/** Characters of the hash in an ETag: 96 bits, so that no two answers of a row have the same by chance. */
const hashCharacters = 16;

/** The ETag of an answer: the version of its row, and what is answered, which may hold more than the row does; e.g. `"17.kQ3_x0aZ9vWd2LmN"`. */
export function etagOf(version: number, text: string): string {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, hashCharacters);
  return `"${version}.${hash}"`;
}

/** Whether If-None-Match names this ETag, so that whoever asks has the answer; compared weakly (RFC 9110, 13.1.2). */
export function isKept(ifNoneMatch: string | undefined, etag: string): boolean {
  const named = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return named.includes('*') || named.includes(etag);
}
