import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { LoadedConfig } from '../../proto/process/config.ts';
import { isSectionedFile } from '../../proto/process/config-file.ts';
import { requireOutput } from '../../shipper/outputs/of-s3.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { print, say } from '../terminal.ts';

/** `isthmus config`: checks, and with --print shows every value with its source. */
export function configCommand(schemas: Schemas): Command {
  const command = createCommand({
    name: 'config',
    summary: 'Checks the configuration, or prints every value with where it comes from.',
    examples: [
      'isthmus config --print',
      'isthmus config gateway --print --config isthmus.yaml',
      'ISTHMUS_GATEWAY__LISTEN__PORT=9000 isthmus config gateway --print --json',
      'isthmus config --config isthmus.yaml     # exit code 2 when something is wrong',
    ],
  });
  return withConfig(command)
    .addArgument(new Argument('[process]', 'only this process').choices(Object.keys(schemas)))
    .option('--print', 'print every value and its source; secrets are ***')
    .option('--json', 'print as JSON')
    .action(async (only: string | undefined, flags: ConfigFlags & { print?: true; json?: true }) => {
      const all = Object.entries(schemas).map(([name, schema]) => ({ name, schema }));
      const loaded =
        only === undefined
          ? loadAll(all, flags)
          : all.filter(({ name }) => name === only).map((one) => loadOne(one, flags));
      for (const { name, config } of loaded)
        if (name === 'shipper') await requireOutput(Shipping.parse(config.config).output);
      if (flags.json === true) {
        print(
          JSON.stringify(
            Object.fromEntries(loaded.map(({ name, config }) => [name, config.entries()])),
            undefined,
            2,
          ),
        );
      } else if (flags.print === true) {
        print(loaded.map(({ name, config }) => `# ${name}\n${config.print()}`).join('\n'));
      } else {
        say(`valid: ${loaded.map(({ name }) => name).join(', ')}`);
      }
    });
}

/** What a start of a shipper looks at beyond its schema. */
const Shipping = z.object({ output: z.string() });

/** Settings of processes by name; the gateway's tell a file of one process from one with a section for each. */
type Schemas = Readonly<Record<string, z.ZodObject>> & { readonly gateway: z.ZodObject };

interface Named {
  readonly name: string;
  readonly schema: z.ZodObject;
}

interface Loaded {
  readonly name: string;
  readonly config: LoadedConfig<unknown>;
}

const loadOne = ({ name, schema }: Named, flags: ConfigFlags): Loaded => ({
  name,
  config: loadFor(schema, { process: name, flags }),
});

/**
 * Loads every process's settings, and tells the faults of all of them at once. A file that holds the keys of one process at its top is that
 * process's: of those that it fits, or when it fits none, of the one with the fewest faults.
 */
function loadAll(all: readonly Named[], flags: ConfigFlags): readonly Loaded[] {
  const loaded: Loaded[] = [];
  const faults: { readonly name: string; readonly fault: Fault }[] = [];
  for (const one of all) {
    try {
      loaded.push(loadOne(one, flags));
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'config.invalid') throw error;
      faults.push({ name: one.name, fault: error });
    }
  }
  const gateway = all.find(({ name }) => name === 'gateway')?.schema;
  const ofOne =
    flags.config !== undefined && gateway !== undefined && !isSectionedFile(flags.config, gateway);
  if (faults.length === 0 || (ofOne && loaded.length > 0)) return loaded;
  const told = ofOne
    ? faults.toSorted((a, b) => a.fault.details.length - b.fault.details.length).slice(0, 1)
    : faults;
  throw new Fault('config.invalid', {
    details: told.flatMap(({ name, fault }) =>
      fault.details.map(({ path, message }) => ({ path: `${name}: ${path}`, message })),
    ),
    ...(told[0]?.fault.hint !== undefined && { hint: told[0].fault.hint }),
  });
}
