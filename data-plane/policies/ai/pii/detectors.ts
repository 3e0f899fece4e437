import { isIP, isIPv6 } from 'node:net';

import { eachMatch } from '../../../../proto/expression/patterns.ts';
import type { PolicyConfig } from '../../../../proto/policies/catalog.ts';
import {
  ibanCharsOf,
  isBelgian,
  isBsn,
  isCard,
  isCodiceFiscale,
  isCpf,
  isDni,
  isIban,
  isImei,
  isNir,
  isPesel,
  isSteuerId,
  isVin,
} from './check-digits.ts';

type Config = PolicyConfig<'pii-filtering'>;

/** Of the configuration; what patterns of one's own find is called by `PATTERN`. */
export type PiiCategory = Config['categories'][number] | 'PATTERN';

/** Something that was found: characters [start..end) of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly category: PiiCategory;
  /** What a record calls it: the category, or the name of a pattern. */
  readonly label: string;
}

type Find = (text: string) => Iterable<readonly [start: number, end: number]>;

/** What looks for one kind of thing. */
interface Detector {
  readonly category: Config['categories'][number];
  /** Of a find, that it is one: 0 to 1. */
  readonly certainty: number;
  readonly find: Find;
}

/**
 * Finds by a pattern of ours and, if there is one, a judge of what was matched; what is none may have one in it, so the search goes on behind
 * its first character. Each pattern has no choices that could be gone through twice, and bounds what it repeats: its time is linear in the text.
 */
function matching(pattern: RegExp, isOne: (found: string) => boolean = () => true): Find {
  return function* find(text) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [found] = match;
      if (!isOne(found)) {
        pattern.lastIndex = match.index + 1;
        continue;
      }
      const end = pattern.lastIndex;
      yield [match.index, end];
      pattern.lastIndex = end;
    }
  };
}

const bare = (text: string): string => text.replaceAll(/[ .-]/g, '');

/** Some digits that stand together. */
interface Group {
  readonly start: number;
  readonly digits: string;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** Groups of one number: a NIR has seven. */
const groupsMax = 8;

/** A way of numbering. */
interface Scheme {
  readonly category: Config['categories'][number];
  readonly certainty: number;
  /** Of its numbers, in digits. */
  readonly lengths: readonly number[];
  readonly isOne: (digits: string) => boolean;
}

/** Runs of groups with nothing but one space, `.` or `-` between them. */
function* runsOf(text: string): Iterable<readonly Group[]> {
  let run: Group[] = [];
  let at = 0;
  while (at < text.length) {
    if (!isDigit(text.charCodeAt(at))) {
      at += 1;
      continue;
    }
    const start = at;
    while (at < text.length && isDigit(text.charCodeAt(at))) at += 1;
    run.push({ start, digits: text.slice(start, at) });
    const goesOn = /[ .-]/.test(text[at] ?? '') && isDigit(text.charCodeAt(at + 1));
    if (goesOn) continue;
    yield run;
    run = [];
  }
}

/** Finds numbers of some schemes, each in one group of digits or in several: the longest that begins with a group. */
function* numbers(text: string, schemes: readonly Scheme[]): Iterable<Span> {
  if (schemes.length === 0) return;
  const most = Math.max(...schemes.flatMap(({ lengths }) => lengths));
  for (const groups of runsOf(text))
    for (let first = 0; first < groups.length; first += 1) {
      let digits = '';
      for (let index = first; index < Math.min(groups.length, first + groupsMax); index += 1) {
        const group = groups[index] ?? { start: 0, digits: '' };
        digits += group.digits;
        if (digits.length > most) break;
        for (const { category, lengths, isOne } of schemes)
          if (lengths.includes(digits.length) && isOne(digits))
            yield {
              start: groups[first]?.start ?? 0,
              end: group.start + group.digits.length,
              category,
              label: category,
            };
      }
    }
}

const addressLetter = /[\p{L}\p{N}._%+-]/u;
const addressCharsMax = 64;
const hostCharsMax = 320;
const host = /^(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/u;

/** Addresses of mail, from each `@` to both sides. */
function* emails(text: string): Iterable<readonly [start: number, end: number]> {
  let from = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > from && at - start < addressCharsMax && addressLetter.test(text[start - 1] ?? ''))
      start -= 1;
    const [behind] = host.exec(text.slice(at + 1, at + 1 + hostCharsMax)) ?? [];
    if (start === at || behind === undefined) continue;
    from = at + 1 + behind.length;
    yield [start, from];
  }
}

/** How an IBAN may begin. */
const ibanBegin = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}/g;

/** IBANs, written together or in groups. */
function* ibans(text: string): Iterable<readonly [start: number, end: number]> {
  for (const { 0: begin, index } of text.matchAll(ibanBegin)) {
    const chars = ibanCharsOf(begin.slice(0, 2).toUpperCase());
    if (chars === undefined) continue;
    let taken = '';
    let end = index;
    while (taken.length < chars && /[A-Za-z0-9]/.test(text[end] ?? '')) {
      taken += text[end];
      end += 1;
      if (text[end] === ' ' && taken.length < chars) end += 1;
    }
    if (!/[A-Za-z0-9]/.test(text[end] ?? '') && isIban(taken.toUpperCase())) yield [index, end];
  }
}

/** Private keys in PEM; of one without an end all that follows. */
function* privateKeys(text: string): Iterable<readonly [start: number, end: number]> {
  let at = text.indexOf('-----BEGIN ');
  while (at !== -1) {
    const [header = ''] = /^-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/.exec(text.slice(at, at + 64)) ?? [];
    if (header === '') {
      at = text.indexOf('-----BEGIN ', at + 1);
      continue;
    }
    const ending = text.indexOf('-----END ', at);
    const closing = ending === -1 ? -1 : text.indexOf('-----', ending + 9);
    const end = closing === -1 ? text.length : closing + 5;
    yield [at, end];
    at = text.indexOf('-----BEGIN ', end);
  }
}

const upper = (isOne: (text: string) => boolean) => (found: string) => isOne(bare(found).toUpperCase());

const schemes: readonly Scheme[] = [
  { category: 'DEVICE_IDENTIFIER', certainty: 0.6, lengths: [15], isOne: isImei },
  { category: 'FINANCIAL_ACCOUNT', certainty: 0.9, lengths: [13, 14, 15, 16, 17, 18, 19], isOne: isCard },
  { category: 'GOVERNMENT_ID', certainty: 0.9, lengths: [11], isOne: isSteuerId },
  { category: 'GOVERNMENT_ID', certainty: 0.9, lengths: [15], isOne: isNir },
  { category: 'GOVERNMENT_ID', certainty: 0.9, lengths: [11], isOne: isBelgian },
  { category: 'GOVERNMENT_ID', certainty: 0.9, lengths: [11], isOne: isCpf },
  { category: 'GOVERNMENT_ID', certainty: 0.6, lengths: [11], isOne: isPesel },
  { category: 'GOVERNMENT_ID', certainty: 0.6, lengths: [9], isOne: isBsn },
];

const detectors: readonly Detector[] = [
  {
    category: 'EMAIL',
    certainty: 0.9,
    find: emails,
  },
  {
    category: 'PHONE',
    certainty: 0.6,
    find: matching(/(?<![\w.+])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){6,14}(?!\d)/g),
  },
  {
    category: 'NETWORK_IDENTIFIER',
    certainty: 0.7,
    find: matching(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)/g, (found) => isIP(found) === 4),
  },
  {
    category: 'NETWORK_IDENTIFIER',
    certainty: 0.9,
    find: matching(
      /(?<![\w:])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,38}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])/g,
      (found) => found.length > 4 && isIPv6(found),
    ),
  },
  {
    category: 'NETWORK_IDENTIFIER',
    certainty: 0.9,
    find: matching(/(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])/g),
  },
  { category: 'FINANCIAL_ACCOUNT', certainty: 1, find: ibans },
  {
    // Corsica.
    category: 'GOVERNMENT_ID',
    certainty: 0.9,
    find: matching(/(?<!\w)[12](?: ?\d\d){2} ?2[AB](?: ?\d{3}){2} ?\d\d(?!\w)/g, upper(isNir)),
  },
  {
    category: 'GOVERNMENT_ID',
    certainty: 0.9,
    find: matching(/(?<!\w)[XYZxyz\d]-?\d{7}-?[A-Za-z](?!\w)/g, upper(isDni)),
  },
  {
    category: 'GOVERNMENT_ID',
    certainty: 0.9,
    find: matching(
      /(?<!\w)[A-Za-z]{6}\w{2}[A-Za-z]\w{2}[A-Za-z]\w{3}[A-Za-z](?!\w)/g,
      upper(isCodiceFiscale),
    ),
  },
  {
    // SSN of the US: no check digit, but areas and groups that nobody has.
    category: 'GOVERNMENT_ID',
    certainty: 0.6,
    find: matching(/(?<![\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/g),
  },
  {
    // National insurance number of the UK.
    category: 'GOVERNMENT_ID',
    certainty: 0.6,
    find: matching(
      /(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d ?){3}[A-D](?!\w)/gi,
    ),
  },
  {
    category: 'VEHICLE_ID',
    certainty: 0.9,
    find: matching(/(?<!\w)[A-HJ-NPR-Za-hj-npr-z0-9]{17}(?!\w)/g, upper(isVin)),
  },
  {
    category: 'CREDENTIAL',
    certainty: 0.9,
    find: matching(/(?<![\w-])eyJ[\w-]{8,4096}\.eyJ[\w-]{4,8192}\.[\w-]{16,4096}/g),
  },
  {
    category: 'CREDENTIAL',
    certainty: 0.9,
    find: privateKeys,
  },
  {
    category: 'CREDENTIAL',
    certainty: 0.9,
    find: matching(
      /(?<![\w-])(?:sk-[\w-]{20,200}|gh[opsur]_\w{36,255}|github_pat_\w{40,255}|glpat-[\w-]{20,64}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}|xox[abprs]-[\w-]{10,250}|[sr]k_(?:live|test)_\w{16,200})(?![\w-])/g,
    ),
  },
];

/**
 * Makes the function that finds everything that a configuration asks for, in the order of the text, none over another.
 *
 * Errors: the function throws an EvaluationFailure where patterns of the configuration take too long.
 */
export function createFinder({
  categories,
  threshold,
  patterns,
}: Pick<Config, 'categories' | 'threshold' | 'patterns'>): (text: string) => readonly Span[] {
  const isChosen = ({ category, certainty }: Pick<Detector, 'category' | 'certainty'>): boolean =>
    categories.includes(category) && certainty >= threshold;
  const chosen = detectors.filter(isChosen);
  const chosenSchemes = schemes.filter(isChosen);
  return (text) => {
    const spans: Span[] = [...numbers(text, chosenSchemes)];
    for (const { category, find } of chosen)
      for (const [start, end] of find(text)) spans.push({ start, end, category, label: category });
    for (const { name, regex } of patterns)
      eachMatch(text, regex, (match) => {
        if (match.end() > match.start())
          spans.push({ start: match.start(), end: match.end(), category: 'PATTERN', label: name });
        return true;
      });
    return spans.length < 2 ? spans : apart(spans);
  };
}

/** What overlaps becomes one, under the name of what begins first, and of those the longest. */
function apart(spans: readonly Span[]): readonly Span[] {
  const kept: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    const last = kept.at(-1);
    if (last === undefined || span.start >= last.end) kept.push(span);
    else if (span.end > last.end) kept[kept.length - 1] = { ...last, end: span.end };
  }
  return kept;
}
