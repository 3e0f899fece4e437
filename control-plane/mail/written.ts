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

/** Writes a mail. What a letter is given is all that its templates ask for, which a test holds. */
export function write(letter: Letter, facts: Facts, nowMs: number): Written {
  const subject = rendered(compile(letter, letter.title, 'text'), facts, nowMs);
  const content = rendered(compile(letter, letter.content, 'html'), facts, nowMs);
  return {
    subject: oneLine(subject).slice(0, subjectCharsMax),
    html: framed(content),
    text: plainText(content),
  };
}

/** What somebody is told in the console, as text. */
export function tellingOf(
  { title, sentence }: Hook,
  facts: HookFacts,
  nowMs: number,
): { readonly title: string; readonly message: string } {
  const textOf = (text: string): string =>
    oneLine(rendered(compileGiven(text, { shape: hookGiven, output: 'text' }), facts, nowMs)).slice(
      0,
      tellingCharsMax,
    );
  return { title: textOf(title), message: textOf(sentence) };
}

const compile = (letter: Letter, text: string, output: 'html' | 'text') =>
  compileGiven(text, { shape: letter.given, output });

function rendered(template: ReturnType<typeof compileGiven>, facts: Facts, nowMs: number): string {
  const made = 'render' in template ? template.render(given(facts), nowMs) : template;
  const why = made.kind === 'failed' ? made.why : made.kind === 'refused' ? made.message : '';
  invariant(made.kind === 'value', `a template of ours fails: ${why}`);
  return made.value;
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
