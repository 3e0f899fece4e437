import { nearest } from '../faults/nearest.ts';
import { SyntaxFault } from './tokens.ts';

/** A name that is not known, with the nearest that is. */
export function unknown(
  what: string,
  { name, among, at }: { readonly name: string; readonly among: readonly string[]; readonly at: number },
): SyntaxFault {
  const meant = nearest(name, among);
  return new SyntaxFault(
    `${what} is unknown to this version${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    at,
  );
}
