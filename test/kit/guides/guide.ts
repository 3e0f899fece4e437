import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** What a guide asks its reader to do, in order. */
export type GuideStep =
  /** A line of the shell, or several: in the session of a machine, or (`stays`) in a terminal of its own that goes on running. */
  | {
      readonly kind: 'run';
      readonly line: number;
      readonly machine: string;
      readonly text: string;
      readonly stays: boolean;
      readonly again: boolean;
      readonly fails: boolean;
      readonly output: readonly string[];
    }
  /** A file that the reader writes. */
  | {
      readonly kind: 'write';
      readonly line: number;
      readonly machine: string;
      readonly name: string;
      readonly text: string;
    }
  /** Ctrl-C in the terminal that runs this. */
  | { readonly kind: 'stop'; readonly line: number; readonly machine: string; readonly command: string }
  /** Files that travel from one machine to another. */
  | {
      readonly kind: 'carry';
      readonly line: number;
      readonly names: readonly string[];
      readonly from: string;
      readonly to: string;
    };

/** Whose session a block is in when it does not say so. */
const machineByDefault = 'here';

/**
 * Reads a page into steps. What stands behind a block's language is for us; a browser shows nothing of it.
 *
 * - `sh`: runs; `sh on=site`: on another machine; `sh stays`: in a terminal of its own; `sh again`: until its output is as shown; `sh fails`:
 *   its exit code is not 0.
 * - `yaml`, `conf`: a file, whose name is its first line (`# isthmus.yaml`); `on=site` as above.
 * - `text output`: each line is in the output of the block before, in this order; `…` stands for anything. `text` alone is only shown.
 * - `<!-- run: stop isthmus up -->`, `<!-- run: carry token.txt from here to site -->`: what the sentence before says.
 *
 * Errors: a block that is none of these, so that nothing is left out by a slip.
 */
export function readGuide(path: string): readonly GuideStep[] {
  const lines = readFileSync(resolve(root, path), 'utf8').split('\n');
  const steps: GuideStep[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const text = lines[at] ?? '';
    const order = /^<!-- run: (.*) -->$/.exec(text)?.[1];
    if (order !== undefined) steps.push(readOrder(order, { path, line: at + 1 }));
    if (!text.startsWith('```')) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${path}:${at + 1}: the block has no end`);
    const block = { info: text.slice(3).split(' '), path, line: at + 1, lines: lines.slice(at + 1, end) };
    readBlock(block, steps);
    at = end;
  }
  return steps;
}

interface Place {
  readonly path: string;
  readonly line: number;
}

function readOrder(order: string, { path, line }: Place): GuideStep {
  const [, command, machine = machineByDefault] = /^stop (.+?)(?: on (\S+))?$/.exec(order) ?? [];
  if (command !== undefined) return { kind: 'stop', line, machine, command };
  const [, names, from, to] = /^carry (.+) from (\S+) to (\S+)$/.exec(order) ?? [];
  if (names === undefined || from === undefined || to === undefined)
    throw new Error(`${path}:${line}: nobody knows how to ${order}`);
  return { kind: 'carry', line, names: names.split(' '), from, to };
}

function readBlock(
  block: Place & { readonly info: readonly string[]; readonly lines: readonly string[] },
  steps: GuideStep[],
): void {
  const { info, path, line, lines } = block;
  const [language = '', ...words] = info;
  const machine = words.find((word) => word.startsWith('on='))?.slice('on='.length) ?? machineByDefault;
  const strange = words.find((word) => !/^(stays|again|fails|output|on=\w+)$/.test(word));
  if (strange !== undefined)
    throw new Error(`${path}:${line}: nobody knows what "${strange}" wants of a block`);
  const text = lines.join('\n');
  if (language === 'sh') {
    const [stays, again, fails] = ['stays', 'again', 'fails'].map((word) => words.includes(word));
    steps.push({
      kind: 'run',
      line: line + 1,
      machine,
      text,
      stays: stays === true,
      again: again === true,
      fails: fails === true,
      output: [],
    });
  } else if (language === 'yaml' || language === 'conf') {
    const name = /^# (\S+)$/.exec(lines[0] ?? '')?.[1];
    if (name === undefined)
      throw new Error(`${path}:${line}: the first line of a file is its name, e.g. "# isthmus.yaml"`);
    steps.push({ kind: 'write', line: line + 1, machine, name, text: `${text}\n` });
  } else if (language === 'text') {
    if (!words.includes('output')) return;
    const before = steps.at(-1);
    if (before?.kind !== 'run') throw new Error(`${path}:${line}: this output has no block before it`);
    steps[steps.length - 1] = { ...before, output: lines.filter((each) => each.trim() !== '') };
  } else
    throw new Error(`${path}:${line}: nobody runs a block in ${language === '' ? 'no language' : language}`);
}
