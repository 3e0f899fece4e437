import { compileGiven } from '../../proto/freemarker/template.ts';
import { invariant } from '../../proto/faults/fault.ts';
import { type Hook, type HookFacts, hookGiven } from './hooks.ts';
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

/** What came of writing; where it failed, in which part and why. */
export type Attempt =
  | { readonly kind: 'value'; readonly value: Written }
  | { readonly kind: 'failed'; readonly part: 'title' | 'content'; readonly why: string };

/** Writes a mail by words that may be somebody else's. Of the console's type the content is text, of one line. */
export function attempt(
  letter: Letter,
  facts: Facts,
  { nowMs, type = 'EMAIL' }: { readonly nowMs: number; readonly type?: 'EMAIL' | 'PORTAL' },
): Attempt {
  const isMail = type === 'EMAIL';
  const subject = rendered(letter.title, { letter, facts, nowMs, output: 'text' });
  if (subject.kind !== 'value') return { kind: 'failed', part: 'title', why: subject.why };
  const output = isMail ? 'html' : 'text';
  const content = rendered(letter.content, { letter, facts, nowMs, output });
  if (content.kind !== 'value') return { kind: 'failed', part: 'content', why: content.why };
  const charsMax = isMail ? subjectCharsMax : tellingCharsMax;
  return {
    kind: 'value',
    value: {
      subject: oneLine(subject.value).slice(0, charsMax),
      html: isMail ? framed(content.value) : '',
      text: isMail ? plainText(content.value) : oneLine(content.value).slice(0, tellingCharsMax),
    },
  };
}

/** Writes a mail by our own words. What a letter is given is all that its templates ask for, which a test holds. */
export function write(letter: Letter, facts: Facts, nowMs: number): Written {
  return ours(attempt(letter, facts, { nowMs }));
}

function ours(made: Attempt): Written {
  invariant(made.kind === 'value', `a template of ours fails: ${made.kind === 'failed' ? made.why : ''}`);
  return made.value;
}

/** What somebody is told in the console, as text, by our own words. */
export function tellingOf(
  { label: name, description, title, sentence: content }: Hook,
  facts: HookFacts,
  nowMs: number,
): { readonly title: string; readonly message: string } {
  const letter = { name, description, given: hookGiven, title, content };
  const { subject, text } = ours(attempt(letter, facts, { nowMs, type: 'PORTAL' }));
  return { title: subject, message: text };
}

function rendered(
  template: string,
  {
    letter,
    facts,
    nowMs,
    output,
  }: {
    readonly letter: Letter;
    readonly facts: Facts;
    readonly nowMs: number;
    readonly output: 'html' | 'text';
  },
): { readonly kind: 'value'; readonly value: string } | { readonly kind: 'failed'; readonly why: string } {
  const compiled = compileGiven(template, { shape: letter.given, output });
  return 'kind' in compiled
    ? { kind: 'failed', why: compiled.message }
    : compiled.render(given(facts), nowMs);
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
