import { nearest } from '../faults/nearest.ts';

/** `; did you mean ?upper_case?` */
export function nearestTo(name: string, among: Iterable<string>, sign: string): string {
  const meant = nearest(name, among);
  return meant === undefined ? '' : `; did you mean ${sign}${meant}?`;
}
