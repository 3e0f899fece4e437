import { type Command, Option } from 'commander';

import { chooseContext, type ContextFlags } from './contexts.ts';
import type { Parent } from './kinds.ts';
import { withManagement } from './management.ts';
import { Objects } from './objects.ts';
import { type Output, outputs } from './show.ts';

/** What every command that speaks to a control plane takes. */
export type ClientFlags = ContextFlags &
  Partial<Record<Parent, string>> & { readonly output?: Output; readonly json?: true };

/** Adds the options that choose a control plane and an environment. */
export function withContext(command: Command): Command {
  return command
    .option('--context <name>', 'which control plane; default: the current one (`isthmus context list`)')
    .option('--organization <id>', 'id or human-readable id; default: that of the context')
    .option('-e, --environment <id>', 'id or human-readable id; default: that of the context');
}

/** Adds the options that say in what an object stands. */
export function withParent(command: Command): Command {
  return command
    .option('--api <name>', 'the API whose plans, subscriptions or pages are meant')
    .option('--application <name>', 'the application that is meant')
    .option('--scope <scope>', 'the scope of roles: ORGANIZATION, ENVIRONMENT, API, APPLICATION');
}

/** Adds the options that say how data is written. */
export function withOutput(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <form>', 'how it is written').choices(outputs).default('table'))
    .option('--json', 'the same as --output json');
}

/** How a command writes. */
export const outputOf = ({ json, output = 'table' }: ClientFlags): Output =>
  json === true ? 'json' : output;

/** Works on the objects of the control plane that the flags choose. */
export function withObjects(flags: ClientFlags, use: (objects: Objects) => Promise<void>): Promise<void> {
  const context = chooseContext(flags, process.env);
  return withManagement(context.url, context, (management) => use(new Objects(management, context)));
}

/** The parents that the flags name. */
export const parentsOf = ({ api, application, scope }: ClientFlags): Partial<Record<Parent, string>> => ({
  ...(api !== undefined && { api }),
  ...(application !== undefined && { application }),
  ...(scope !== undefined && { scope }),
});
