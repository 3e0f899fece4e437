import { Fault } from '../../proto/faults/fault.ts';

/** Longest key, in characters: as long as an id may be. */
const keyCharsMax = 64;

/** The key of a name, as the reference makes it: `Team contact` is `team-contact`. Errors: request.invalid for a name without letter and digit. */
export function slugOf(name: string): string {
  const key = hyphened(name).slice(0, keyCharsMax);
  if (key === '')
    throw new Fault('request.invalid', {
      details: [{ path: 'name', message: 'must have a letter or digit' }],
    });
  return key;
}

/** A name in lower-case letters of ASCII and digits, with a hyphen between where it has anything else; '' where it has neither. */
export function hyphened(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
