import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { Fault } from '../proto/faults/fault.ts';
import { loadConfig, type LoadedConfig } from '../proto/process/config.ts';

/** What every command that reads a configuration takes. */
export interface ConfigFlags {
  readonly config?: string;
  readonly dataDir?: string;
  /** `path=value` pairs. */
  readonly set?: readonly string[];
}

/** What a command is besides its action. */
export interface CommandText {
  readonly name: string;
  readonly summary: string;
  /** Shown first in its help; each line is a call that works. */
  readonly examples: readonly string[];
}

/** Makes a command whose help leads with examples. */
export function createCommand({ name, summary, examples }: CommandText): Command {
  return new Command(name)
    .summary(summary)
    .description(summary)
    .addHelpText('before', `Examples:\n${examples.map((line) => `  ${line}\n`).join('')}`)
    .showHelpAfterError('(--help shows examples)')
    .exitOverride();
}

/** Adds the options that choose a configuration. */
export function withConfig(command: Command): Command {
  return command
    .option('-c, --config <file>', "YAML file: a section per process, or one process's keys")
    .option('-d, --data-dir <folder>', 'where this process keeps its data (dataDir)')
    .option('-s, --set <path=value>', 'sets one value, e.g. listen.port=8082; repeatable', collect);
}

/** Loads the configuration of a process from what the command line says and the environment. */
export function loadFor<Schema extends z.ZodObject>(
  schema: Schema,
  wish: {
    readonly process: string;
    readonly flags: ConfigFlags;
    readonly more?: Readonly<Record<string, unknown>>;
    readonly isSectioned?: boolean;
  },
): LoadedConfig<z.output<Schema>> {
  const { process: name, flags, more, isSectioned } = wish;
  return loadConfig(schema, {
    process: name,
    file: flags.config,
    isSectioned,
    env: process.env,
    flags: {
      ...('dataDir' in schema.shape ? { dataDir: flags.dataDir } : {}),
      ...Object.fromEntries((flags.set ?? []).map(splitPair)),
      ...more,
    },
  });
}

const portMax = 65_535;
/** Most that `--port-offset` may add: the highest port of all is still one. */
export const portOffsetMax = portMax - 18_099;

/**
 * What listens, as many ports further on as `isthmus up --port-offset` says; 0 takes a free one all the same.
 *
 * Errors: config.invalid when there is no such port.
 */
export function movedBy<Listen extends { readonly port: number }>(
  listen: Listen,
  { setting, portOffset }: { readonly setting: string; readonly portOffset: number },
): Listen {
  if (listen.port === 0) return listen;
  const port = listen.port + portOffset;
  if (port > portMax)
    throw new Fault('config.invalid', {
      detail: `${setting}.port ${listen.port} with the port offset ${portOffset} is ${port}, and the last port is ${portMax}.`,
      hint: `Choose an offset of at most ${portMax - listen.port}, or a lower port.`,
    });
  return { ...listen, port };
}

/** Reads a whole number within bounds, or refuses it as wrong use. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** For options that may be given several times, each `path=value`. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  splitPair(text);
  return [...before, text];
}

/** `path=value` as its two halves. */
export function splitPair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be path=value, e.g. listen.port=8082.');
  return [text.slice(0, at), text.slice(at + 1)];
}
