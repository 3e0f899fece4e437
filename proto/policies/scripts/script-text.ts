import { Script } from 'node:vm';
import { z } from 'zod';

/** Longest script. */
const scriptCharsMax = 65_536;

/** A script of a definition. It is no text, since its braces are no expressions. */
export interface ScriptText {
  readonly source: () => string;
  /** Says whether a name occurs in it. */
  readonly names: (name: string) => boolean;
}

/** What a sandbox does not have, and what there is in its place. */
const absent: readonly (readonly [names: RegExp, instead: string])[] = [
  [
    /\bhttpClient\b/,
    'httpClient is not there: call by policy-http-callout in a step before, and read its variables as attributes',
  ],
  [
    /\b(?:Java\s*\.\s*(?:type|extend|from|to|super)|JavaImporter|Packages\s*\.|importPackage|importClass|Polyglot\s*\.)/,
    'Java is not there: scripts have what ECMAScript 2023 has, Base64, btoa and atob',
  ],
];

/** What is wrong with a script before it ever runs; undefined when nothing is. It is read, never run. */
function faultIn(source: string): string | undefined {
  try {
    new Script(source, { filename: 'script' });
  } catch (error) {
    if (!(error instanceof SyntaxError)) return 'cannot be read: it is nested too deeply';
    const line = /^script:(\d+)/.exec(error.stack ?? '')?.[1];
    return `cannot be read: ${error.message}${line === undefined ? '' : ` (line ${line})`}`;
  }
  return absent.find(([names]) => names.test(source))?.[1];
}

/** A field that holds a script. Errors: what cannot be read, with its line; what the sandbox does not have. */
export const scriptText = z
  .string()
  .max(scriptCharsMax)
  .transform((text, context): ScriptText => {
    const fault = faultIn(text);
    if (fault === undefined) return { source: () => text, names: (name) => text.includes(name) };
    context.issues.push({ code: 'custom', message: fault, input: text });
    return z.NEVER;
  });

/** What is to be said of every script. */
export const scriptDocs = [
  'A script runs in a thread of its own, in a world that is new for each run: no file, no network, no other script, nothing that stays. It ends after `policy.js.timeoutMs` (100 ms in which it had a core), with `policy.js.memoryBytesMax` (32 MiB); what a request waits for a thread, and the script for a core, is bounded by `policy.js.waitMsMax`.',
  'ECMAScript 2023, read as a script in sloppy mode; promises that it has settled run to their end, there are no timers. One that cannot be read is refused when the API is deployed, with its line.',
  'A script that throws, runs out of its time or memory, or says a header, status or attribute that nobody can set, changes nothing, and the request ends with 500; why stands in the warning of its record.',
  'Of dictionaries those are there whose name stands in the script as it is written.',
  'Attributes are copies: what is to change is set. An attribute is a text, a number, a boolean, a list or an object; null removes it.',
  'The body is text by UTF-8, and read whole. A request whose body is compressed cannot be read; what a backend has compressed is unpacked.',
].join('\n\n');
