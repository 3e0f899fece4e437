import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';

import { Fault } from '../../proto/faults/fault.ts';
import { writeDurably } from '../../proto/process/disk/durable-file.ts';
import { makeFolders } from '../../proto/process/disk/folders.ts';

const word = z.string().min(1).max(256);

const contextSchema = z.strictObject({
  /** Of the control plane, without a path of the management API. */
  url: z.url({ protocol: /^https?$/ }),
  organization: word.default('DEFAULT'),
  environment: word.default('DEFAULT'),
  token: z.string().min(1).max(4_096),
  /** Of a token that was made for this context, which goes with it. */
  tokenId: word.optional(),
});

const fileSchema = z.strictObject({
  current: word.optional(),
  contexts: z.record(word, contextSchema).default({}),
});

/** A control plane, the environment there, and what signs in. */
export type Context = z.output<typeof contextSchema>;

/** What the file holds. */
export type Contexts = z.output<typeof fileSchema>;

type Env = Readonly<Record<string, string | undefined>>;

/** Where contexts are kept: `$XDG_CONFIG_HOME/isthmus/contexts.json`, else `~/.config/isthmus/contexts.json`; for its user alone. */
export function contextsFile(env: Env): string {
  const home = env['XDG_CONFIG_HOME'];
  return join(
    home === undefined || home === '' ? join(homedir(), '.config') : home,
    'isthmus',
    'contexts.json',
  );
}

/** Reads the contexts; none where there is no file. Errors: config.invalid, config.unreadable. */
export function readContexts(file: string): Contexts {
  if (!existsSync(file)) return { contexts: {} };
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const internal = error instanceof Error ? error.message : String(error);
    throw new Fault('config.unreadable', { detail: `${file} cannot be read.`, internal, cause: error });
  }
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new Fault('config.invalid', { detail: `${file} is not valid.`, details });
}

/** Writes the contexts, whole or not at all, readable by this user alone. */
export function writeContexts(file: string, contexts: Contexts): void {
  makeFolders(dirname(file));
  writeDurably(file, `${JSON.stringify(contexts, undefined, 2)}\n`);
}

/** What chooses a context on the command line. */
export interface ContextFlags {
  readonly context?: string;
  readonly organization?: string;
  readonly environment?: string;
}

/**
 * The context that a command works in: that of `--context`, else ISTHMUS_URL and ISTHMUS_TOKEN, else the current one. `--organization` and
 * `--environment`, then ISTHMUS_ORGANIZATION and ISTHMUS_ENVIRONMENT, stand above what it says.
 *
 * Errors: client.no_context; config.invalid for half of the variables.
 */
export function chooseContext(flags: ContextFlags, env: Env): Context {
  const given = flags.context === undefined ? contextOf(env) : undefined;
  const chosen = given ?? keptContext(flags.context, env);
  return {
    ...chosen,
    organization: flags.organization ?? env['ISTHMUS_ORGANIZATION'] ?? chosen.organization,
    environment: flags.environment ?? env['ISTHMUS_ENVIRONMENT'] ?? chosen.environment,
  };
}

/** That of the variables; undefined where there are none. */
function contextOf({ ISTHMUS_URL: url, ISTHMUS_TOKEN: token }: Env): Context | undefined {
  if (url === undefined && token === undefined) return undefined;
  const parsed = contextSchema.safeParse({ url, token });
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => ({
    path: `ISTHMUS_${path.join('.').toUpperCase()}`,
    message,
  }));
  throw new Fault('config.invalid', { details });
}

function keptContext(wanted: string | undefined, env: Env): Context {
  const file = contextsFile(env);
  const { contexts, current } = readContexts(file);
  const name = wanted ?? current;
  if (name === undefined) throw new Fault('client.no_context');
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(contexts);
  throw new Fault('client.no_context', {
    detail: `There is no context ${JSON.stringify(name)} in ${file}.`,
    ...(names.length > 0 && { hint: `There is: ${names.join(', ')}.` }),
  });
}
