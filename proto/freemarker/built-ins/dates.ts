import { isoText, readMoment } from '../moments.ts';
import { Moment } from '../values.ts';
import { asText, type Args, ofValue, type Tools, wanted } from './built-in.ts';
import type { Value } from '../values.ts';

/** `?date`, of a text with a format or of another moment. */
const shown =
  (shows: Moment['shows']) =>
  (of: Value, args: Args, tools: Tools): Moment =>
    of instanceof Moment
      ? new Moment(of.ms, shows)
      : readMoment(tools.text(of), shows, args.length > 0 ? asText(args[0]) : shows);

const precisions: ReadonlyMap<string, 'h' | 'm' | 's' | 'ms'> = new Map([
  ['', 's'],
  ['_ms', 'ms'],
  ['_m', 'm'],
  ['_h', 'h'],
]);

/** `?iso_utc`, `?iso_utc_ms`, `?iso_local_nz` ...: all count in UTC. */
const iso = ['utc', 'local'].flatMap((zone) =>
  [...precisions].flatMap(([ending, precision]) =>
    [true, false].map((hasZone) =>
      ofValue(`iso_${zone}${ending}${hasZone ? '' : '_nz'}`, (of) =>
        of instanceof Moment ? isoText(of, { precision, hasZone }) : wanted('a date', of),
      ),
    ),
  ),
);

export const dateBuiltIns = [
  ofValue('date', shown('date'), [0, 1]),
  ofValue('time', shown('time'), [0, 1]),
  ofValue('datetime', shown('datetime'), [0, 1]),
  ...iso,
] as const;
