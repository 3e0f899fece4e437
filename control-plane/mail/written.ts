import { compileGiven, type GivenTemplate } from '../../proto/freemarker/template.ts';
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

/** What somebody wrote in place of a letter's own templates. */
export type Templates = Pick<Letter, 'title' | 'content'>;

const subjectCharsMax = 200;
const tellingCharsMax = 2_000;

/**
 * Writes a mail. Of an override that fails with these facts the letter's own templates stand in, so that nobody waits for a mail because
 * of a slip in one; `problem` says what was wrong.
 */
export function write(
  letter: Letter,
  facts: Facts,
  { nowMs, templates }: { readonly nowMs: number; readonly templates?: Templates | undefined },
): Written & { readonly problem?: string | undefined } {
  if (templates !== undefined) {
    const made = tryToWrite({ ...letter, ...templates }, facts, nowMs);
    if (typeof made !== 'string') return made;
    return { ...write(letter, facts, { nowMs }), problem: made };
  }
  const made = tryToWrite(letter, facts, nowMs);
  if (typeof made === 'string') invariant(false, `the template of ${letter.name} fails: ${made}`);
  return made;
}

/** What is wrong with templates that somebody wrote for a letter, by the field; nothing when they can be read. */
export function templateFaults(
  letter: Letter,
  { title, content }: Templates,
): readonly { readonly path: 'title' | 'content'; readonly message: string }[] {
  const read = { title: compile(letter, title, 'text'), content: compile(letter, content, 'html') };
  return (['title', 'content'] as const).flatMap((path) => {
    const one = read[path];
    return 'kind' in one ? [{ path, message: one.message }] : [];
  });
}

/** What somebody is told in the console, as text. */
export function tellingOf(
  { title, sentence }: Hook,
  facts: HookFacts,
  nowMs: number,
): { readonly title: string; readonly message: string } {
  const textOf = (text: string): string => {
    const made = rendered(compileGiven(text, { shape: hookGiven, output: 'text' }), facts, nowMs);
    if (made.why !== undefined) invariant(false, `the template of a hook fails: ${made.why}`);
    return oneLine(made.value).slice(0, tellingCharsMax);
  };
  return { title: textOf(title), message: textOf(sentence) };
}

const compile = (letter: Letter, text: string, output: 'html' | 'text') =>
  compileGiven(text, { shape: letter.given, output });

function tryToWrite(letter: Letter, facts: Facts, nowMs: number): Written | string {
  const subject = rendered(compile(letter, letter.title, 'text'), facts, nowMs);
  const content = rendered(compile(letter, letter.content, 'html'), facts, nowMs);
  if (subject.why !== undefined) return `title: ${subject.why}`;
  if (content.why !== undefined) return `content: ${content.why}`;
  return {
    subject: oneLine(subject.value).slice(0, subjectCharsMax),
    html: framed(content.value),
    text: plainText(content.value),
  };
}

function rendered(
  template: ReturnType<typeof compileGiven>,
  facts: Facts,
  nowMs: number,
): { readonly value: string; readonly why?: undefined } | { readonly why: string } {
  if ('kind' in template) return { why: template.message };
  const made = (template satisfies GivenTemplate).render(given(facts), nowMs);
  return made.kind === 'failed' ? { why: made.why } : { value: made.value };
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
