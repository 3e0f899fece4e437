import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

import { Fault } from '../../proto/faults/fault.ts';
import { systemWords } from '../../proto/process/system-words.ts';

/** Reads a secret of a file, or of standard input (`-`), without the line break at its end. Errors: config.unreadable, config.invalid. */
export function secretIn(file: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Fault('config.unreadable', { detail: `${file}: ${systemWords(error)}.`, cause: error });
  }
  if (text === '') throw new Fault('config.invalid', { detail: `${file} holds no ${what}.` });
  return text;
}

/** Asks at the terminal and does not show what is typed; `otherwise` is how it comes without one. Errors: config.invalid where there is no terminal. */
export async function readSecretly(what: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Fault('config.invalid', {
      detail: `There is no terminal to ask for the ${what}.`,
      hint: otherwise,
    });
  process.stderr.write(`${what}: `);
  const nowhere = new Writable({ write: (_part, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
