import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Argument, type Command } from 'commander';

import { Fault } from '../../proto/faults/fault.ts';
import { createCommand } from '../command.ts';
import { print, say } from '../terminal.ts';
import { chooseContext } from './contexts.ts';
import { readOneBody } from './documents.ts';
import { type ClientFlags, withContext } from './flags.ts';
import { type Call, type Opened, withManagement } from './management.ts';
import { isFields, valueAt } from './objects.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

type Flags = ClientFlags & { readonly file?: string; readonly field?: string };

/** `isthmus call <method> <path>`: any operation of the management API, as its reference and the console's "Copy as" have it. */
export function callCommand(): Command {
  const command = createCommand({
    name: 'call',
    summary: 'Makes one call of the management API, whatever no other command does.',
    examples: [
      'isthmus call GET /v2/environments/DEFAULT/apis --field data.0.id',
      'isthmus call POST /v2/environments/DEFAULT/apis/<id>/deployments -f deployment.yaml',
      `echo '{ "description": "Ours" }' | isthmus call PATCH /v2/environments/DEFAULT/apis/<id> -f -`,
      'isthmus call GET /v2/environments/DEFAULT/apis/<id>/logs/_live    # as calls arrive, until Ctrl-C',
    ],
  });
  return withContext(command)
    .addArgument(new Argument('<method>').choices(methods))
    .argument('<path>', 'below /management, e.g. /v2/environments/DEFAULT/apis')
    .option('-f, --file <file>', 'the body, YAML or JSON, or - for standard input')
    .option('--field <path>', 'print this field of the answer alone, dotted, e.g. apiKey.key')
    .action(async (method: Call['method'], path: string, flags: Flags) => {
      if (!path.startsWith('/'))
        throw new Fault('config.invalid', {
          detail: `${JSON.stringify(path)} is no path: it begins with /, below /management.`,
        });
      const body = flags.file === undefined ? undefined : await readOneBody(flags.file);
      const context = chooseContext(flags, process.env);
      await withManagement(context.url, context, async (management) => {
        const call = { method, path: path.replace(/^\/management(?=\/)/, ''), body };
        await show(await management.open(call), flags.field);
      });
    });
}

/** JSON is laid out; an export, a picture or a live stream goes through as it comes. */
async function show(answer: Opened, field: string | undefined): Promise<void> {
  if (answer.warning !== undefined) say(answer.warning);
  if (answer.stream !== undefined) {
    if (field !== undefined) throw noField(field);
    try {
      return await pipeline(Readable.from(answer.stream), process.stdout, { end: false });
    } catch (error) {
      // Who reads has enough, as `head` does.
      if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return;
      throw error;
    }
  }
  if (field === undefined) {
    if (answer.body !== undefined) print(JSON.stringify(answer.body, undefined, 2));
    return;
  }
  const value = isFields(answer.body) || Array.isArray(answer.body) ? valueAt(answer.body, field) : undefined;
  if (value === undefined) throw noField(field);
  print(typeof value === 'string' ? value : JSON.stringify(value));
}

const noField = (field: string): Fault =>
  new Fault('client.refused', { detail: `The answer has no field ${field}.` });
