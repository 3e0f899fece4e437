import type { Command } from 'commander';

import { Fault } from '../../proto/faults/fault.ts';
import { createCommand } from '../command.ts';
import { print, say } from '../terminal.ts';
import { contextsFile, readContexts, writeContexts } from './contexts.ts';
import { withOutput, type ClientFlags, outputOf } from './flags.ts';
import { showRows } from './show.ts';

/** `isthmus context`. */
export function contextCommand(): Command {
  const command = createCommand({
    name: 'context',
    summary: 'Lists the control planes that `isthmus login` has kept, and chooses among them.',
    examples: ['isthmus context list', 'isthmus context use production', 'isthmus context show'],
  });
  const list = createCommand({
    name: 'list',
    summary: 'Lists them.',
    examples: ['isthmus context list --json'],
  });
  command.addCommand(withOutput(list).action((flags: ClientFlags) => listContexts(flags)));
  const use = createCommand({
    name: 'use',
    summary: 'Makes one of them the current one.',
    examples: ['isthmus context use production'],
  });
  command.addCommand(use.argument('<context>', 'its name').action((name: string) => useContext(name)));
  const show = createCommand({
    name: 'show',
    summary: 'Says the name of the current one.',
    examples: ['isthmus context show'],
  });
  command.addCommand(show.action(() => print(currentName())));
  return command;
}

function listContexts(flags: ClientFlags): void {
  const { contexts, current } = readContexts(contextsFile(process.env));
  const rows = Object.entries(contexts).map(([name, { url, organization, environment }]) => ({
    current: name === current,
    name,
    url,
    organization,
    environment,
  }));
  const columns = ['name', 'url', 'organization', 'environment', 'current'].map(
    (field) => [field, field] as const,
  );
  showRows(rows, columns, outputOf(flags));
}

function useContext(name: string): void {
  const file = contextsFile(process.env);
  const { contexts } = readContexts(file);
  if (!Object.hasOwn(contexts, name))
    throw new Fault('client.no_context', {
      detail: `There is no context ${JSON.stringify(name)}.`,
      hint: `There is: ${Object.keys(contexts).join(', ') || 'none'}.`,
    });
  writeContexts(file, { current: name, contexts });
  say(`${name} is the current context`);
}

function currentName(): string {
  const { current } = readContexts(contextsFile(process.env));
  if (current === undefined) throw new Fault('client.no_context');
  return current;
}
