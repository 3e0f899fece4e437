import { z } from 'zod';

import { nearest, unknownNames } from './nearest.ts';

/*
 * What a schema finds wrong, in our words. They complete a sentence that begins with the field's path: `name is required`.
 *
 * A word of its own in a schema (a refinement, a pattern with its reason) comes before these.
 */
z.config({ customError: wordsOf });

const kinds: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['set', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['map', 'an object'],
  ['null', 'null'],
  ['date', 'a date'],
  ['file', 'a file'],
]);

const formats: ReadonlyMap<string, string> = new Map([
  ['url', 'a URL, e.g. https://example.com/path'],
  ['email', 'an address for mail'],
  ['uuid', 'a UUID'],
  ['guid', 'a UUID'],
  ['datetime', 'a time as in 2026-01-31T12:00:00Z'],
  ['date', 'a date as in 2026-01-31'],
  ['time', 'a time of day as in 12:00:00'],
  ['ipv4', 'an IPv4 address'],
  ['ipv6', 'an IPv6 address'],
  ['cidrv4', 'a range of IPv4 addresses, e.g. 10.0.0.0/8'],
  ['cidrv6', 'a range of IPv6 addresses, e.g. fd00::/8'],
  ['base64', 'base64'],
  ['base64url', 'base64url'],
  ['hex', 'hexadecimal'],
  ['jwt', 'a JWT'],
]);

const nameOf = (kind: string): string => kinds.get(kind) ?? kind;

function isWhole(schema: unknown): boolean {
  return schema instanceof z.ZodNumberFormat && schema._zod.def.format === 'safeint';
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return nameOf(typeof value);
}

/** What YAML 1.1 took for true and false; in YAML 1.2, which is read here, they are texts. */
const olderBooleans: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'yes', 'on', 'true'].map((word) => [word, true] as const),
  ...['n', 'no', 'off', 'false'].map((word) => [word, false] as const),
]);

/** What is said of a value in the place of a boolean. */
export function noBoolean(value: unknown): string {
  const meant = typeof value === 'string' ? olderBooleans.get(value.toLowerCase()) : undefined;
  return meant === undefined
    ? `must be true or false, not ${kindOf(value)}`
    : `must be true or false, not the text ${JSON.stringify(value)}; write ${meant}`;
}

/** A number as it is written, of no more characters than any takes that means one. */
const writtenNumber = /^-?\d{1,15}(?:\.\d{1,15})?$/;

/** What is said of a value in the place of a number. */
function noNumber(value: unknown, isWhole: boolean): string {
  const kind = nameOf(isWhole ? 'int' : 'number');
  if (typeof value === 'number') return `must be ${kind}, not ${value}`;
  const meant = typeof value === 'string' && writtenNumber.test(value) ? Number(value) : Number.NaN;
  const isMeant = isWhole ? Number.isSafeInteger(meant) : Number.isFinite(meant);
  return isMeant
    ? `must be ${kind}, not the text ${JSON.stringify(value)}; write ${meant}`
    : `must be ${kind}, not ${kindOf(value)}`;
}

function wordsOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'custom') return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      if (Number.isNaN(issue.input)) return 'must be a number';
      if (issue.expected === 'boolean') return noBoolean(issue.input);
      if (issue.expected === 'number' || issue.expected === 'int')
        return noNumber(issue.input, isWhole(issue.inst));
      return issue.expected === 'never'
        ? 'must not be there'
        : `must be ${nameOf(issue.expected)}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values)}${meant(issue)}`;
    case 'too_big':
    case 'too_small':
      return boundOf(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return formatOf(issue);
    case 'unrecognized_keys':
      return unknownOf(issue);
    case 'invalid_union':
      return unionOf(issue);
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'is no possible name';
    case 'invalid_element':
      return issue.issues[0]?.message;
    default:
      return 'is not valid';
  }
}

/** Most names that are listed; whoever mistyped one of more looks them up. */
const listedMax = 30;

function unknownOf({ inst, keys }: z.core.$ZodRawIssue<z.core.$ZodIssueUnrecognizedKeys>): string {
  const allowed = inst instanceof z.ZodObject ? Object.keys(inst.shape) : [];
  if (allowed.length === 0) return 'is unknown';
  if (allowed.length <= listedMax) return unknownNames(keys, allowed);
  const near = keys.length === 1 ? nearest(keys[0] ?? '', allowed) : undefined;
  return near === undefined ? 'is unknown' : `is unknown; did you mean ${near}?`;
}

/** Which of the words a mistyped one may be. */
function meant({ input, values }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidValue>): string {
  if (typeof input !== 'string' || values.length < 2) return '';
  const near = nearest(
    input,
    values.filter((value) => typeof value === 'string'),
  );
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

function oneOf(values: readonly unknown[]): string {
  const [only, ...others] = values.map((value) => JSON.stringify(value) ?? 'undefined');
  return others.length === 0 ? `${only}` : `one of ${[only, ...others].join(', ')}`;
}

function boundOf(issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall>): string {
  const isMost = issue.code === 'too_big';
  const bound = isMost ? issue.maximum : issue.minimum;
  const few = Number(bound) === 1;
  if (issue.origin === 'string' && !isMost && few) return 'must not be empty';
  if (issue.origin === 'string') return `must have at ${isMost ? 'most' : 'least'} ${bound} characters`;
  if (issue.origin === 'array' || issue.origin === 'set')
    return `must have at ${isMost ? 'most' : 'least'} ${bound} ${few ? 'entry' : 'entries'}`;
  if (issue.inclusive === false) return `must be ${isMost ? 'less' : 'more'} than ${bound}`;
  return `must be at ${isMost ? 'most' : 'least'} ${bound}`;
}

function formatOf(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidStringFormat>): string {
  if (issue.format === 'starts_with') return `must begin with ${JSON.stringify(issue['prefix'])}`;
  if (issue.format === 'ends_with') return `must end with ${JSON.stringify(issue['suffix'])}`;
  if (issue.format === 'includes') return `must hold ${JSON.stringify(issue['includes'])}`;
  if (issue.format === 'regex') return `must match ${String(issue['pattern'])}`;
  return `must be ${formats.get(issue.format) ?? issue.format}`;
}

/** Of kinds side by side, all are named; of forms of an object, whoever reads the issue looks into the last, the full one. */
function unionOf(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  if ('options' in issue && Array.isArray(issue['options'])) return `must be ${oneOf(issue['options'])}`;
  const expected = issue.errors.map(([first]) =>
    first?.code === 'invalid_type' && first.path.length === 0 ? nameOf(first.expected) : undefined,
  );
  return expected.every((kind) => kind !== undefined)
    ? `must be ${expected.join(' or ')}, not ${kindOf(issue.input)}`
    : 'has none of the possible forms';
}
