import { compileGiven } from '../../proto/freemarker/template.ts';
import { invariant } from '../../proto/faults/fault.ts';
import { keptText } from '../storage/kept-text.ts';
import type { Facts, Letter } from './letters.ts';
import { plainText } from './plain-text.ts';

/** What is read of a mail. */
export interface Written {
  /** One line. */
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

const subjectCharsMax = 200;
const tellingCharsMax = 2_000;
/** Of what a template makes: a mail that is longer is no mail. */
const contentCharsMax = 262_144;

/** What came of writing; where it failed, in which part and why. */
export type Attempt =
  | { readonly kind: 'value'; readonly value: Written }
  | { readonly kind: 'failed'; readonly part: 'title' | 'content'; readonly why: string };

/** A mail, where it does not say that it stands in the console, whose content is text of one line. */
type Words = Letter & { readonly type?: 'EMAIL' | 'PORTAL' };

/**
 * Writes by words that may be somebody else's.
 *
 * Cost: title and content together what the expressions of one request may do, some 40 ms, whatever is in them: who writes templates of his
 * organization holds up nobody else's. Past it the writing fails.
 */
export function attempt(letter: Words, facts: Facts, nowMs: number): Attempt {
  const isMail = letter.type !== 'PORTAL';
  const budget = {};
  const subject = rendered(letter.title, { letter, facts, nowMs, output: 'text', budget });
  if (subject.kind !== 'value') return { kind: 'failed', part: 'title', why: subject.why };
  const output = isMail ? 'html' : 'text';
  const content = rendered(letter.content, { letter, facts, nowMs, output, budget });
  if (content.kind !== 'value') return { kind: 'failed', part: 'content', why: content.why };
  if (content.value.length > contentCharsMax)
    return { kind: 'failed', part: 'content', why: `it becomes longer than ${contentCharsMax} characters` };
  const charsMax = isMail ? subjectCharsMax : tellingCharsMax;
  return {
    kind: 'value',
    value: {
      subject: keptText(oneLine(subject.value), charsMax),
      html: isMail ? framed(content.value) : '',
      text: isMail ? plainText(content.value) : keptText(oneLine(content.value), tellingCharsMax),
    },
  };
}

/** Writes by our own words. What a letter is given is all that its templates ask for, which a test holds. */
export function write(letter: Words, facts: Facts, nowMs: number): Written {
  const made = attempt(letter, facts, nowMs);
  invariant(made.kind === 'value', `a template of ours fails: ${made.kind === 'failed' ? made.why : ''}`);
  return made.value;
}

function rendered(
  template: string,
  {
    letter,
    facts,
    nowMs,
    output,
    budget,
  }: {
    readonly letter: Letter;
    readonly facts: Facts;
    readonly nowMs: number;
    readonly output: 'html' | 'text';
    readonly budget: object;
  },
): { readonly kind: 'value'; readonly value: string } | { readonly kind: 'failed'; readonly why: string } {
  const compiled = compileGiven(template, { shape: letter.given, output });
  return 'kind' in compiled
    ? { kind: 'failed', why: compiled.message }
    : compiled.render(given(facts), nowMs, budget);
}

const given = (facts: Facts): Map<string, string | Map<string, string>> =>
  new Map(
    Object.entries(facts).map(([name, fact]) => [
      name,
      typeof fact === 'string' ? fact : new Map(Object.entries(fact)),
    ]),
  );

/** Whatever a subject holds, no line begins in it: a header would. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

const framed = (content: string): string => `<!doctype html>
<html><head><meta charset="utf-8"></head>
<body style="font-family: system-ui, sans-serif; font-size: 15px; line-height: 1.5; color: #1a1d21">
${content}</body></html>
`;
