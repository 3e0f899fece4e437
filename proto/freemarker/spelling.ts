import { nearest } from '../faults/nearest.ts';

/** `; did you mean ?upper_case?` */
export function nearestTo(name: string, among: Iterable<string>, sign: string): string {
  const meant = nearest(name, among);
  return meant === undefined ? '' : `; did you mean ${sign}${meant}?`;
}

/** Names of FreeMarker are written in both ways: `upper_case` and `upperCase`; directives of two words have no line between: `elseif`. */
export const snakeCase = (name: string): string =>
  /^[a-z]+(?:[A-Z][a-z]*)+$/.test(name)
    ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : name;
