import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Fault } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { print, say } from '../terminal.ts';
import { atTheDesk, type MachineDesk } from './fleet-desk.ts';

type Flags = ConfigFlags & {
  readonly organization: string;
  readonly environment: string;
  readonly dryRun?: true;
  readonly json?: true;
};

/** `isthmus samples`: what a first start made to be looked at. */
export function samplesCommand(): Command {
  const command = createCommand({
    name: 'samples',
    summary: 'Takes the samples of a first start away, with their records, or makes them again.',
    examples: [
      'isthmus samples remove --dry-run    # what it would take away',
      'isthmus samples remove',
      'isthmus samples add                 # beside a running isthmus up: three APIs, two applications, some calls',
    ],
  });
  command.addCommand(removeCommand());
  command.addCommand(addCommand());
  return command;
}

const withPlace = (command: Command): Command =>
  withConfig(command)
    .option('--environment <id>', 'where they are, by id or human-readable id', 'DEFAULT')
    .option('--organization <id>', 'of which organization', 'DEFAULT')
    .option('--dry-run', 'change nothing; say what would be')
    .option('--json', 'say the result as JSON');

function removeCommand(): Command {
  const command = createCommand({
    name: 'remove',
    summary: 'Takes sample APIs, applications, subscriptions and records away, and nothing else.',
    examples: ['isthmus samples remove --dry-run', 'isthmus samples remove --data-dir ./second'],
  });
  return withPlace(command).action(async (flags: Flags) => {
    const { removeSamples } = await import('../../control-plane/management/samples/samples.ts');
    const done = await atTheDesk(flags, async (machine) => {
      const at = await placeOf(machine, flags);
      return removeSamples(machine.desk, machine.actor, { at, isDryRun: flags.dryRun === true });
    });
    if (flags.json === true) return print(JSON.stringify(done, undefined, 2));
    const verb = done.dryRun ? 'would be removed' : 'is removed';
    for (const { type, name } of done.removed) say(`${wordOf(type)} ${name} ${verb}`);
    for (const { type, name, reason } of done.kept) say(`${wordOf(type)} ${name} stays: ${reason}`);
    if (done.removed.length + done.kept.length === 0) say('there are no samples here');
  });
}

const wordOf = (type: 'API' | 'APPLICATION'): string => (type === 'API' ? 'API' : 'application');

function addCommand(): Command {
  const command = createCommand({
    name: 'add',
    summary: 'Makes the samples again, beside a running isthmus up, whose built-in backend they call.',
    examples: ['isthmus samples add --dry-run', 'isthmus samples add'],
  });
  return withPlace(command).action(async (flags: Flags) => {
    const { echo, gateway } = addressesOf(flags);
    const { listSamples } = await import('../../control-plane/management/samples/samples.ts');
    const { auditSamples, makeSamples, sampleName, samplePaths } =
      await import('../../control-plane/management/samples/making.ts');
    const paths = Object.values(samplePaths);
    const keys = await atTheDesk(flags, async (machine) => {
      const at = await placeOf(machine, flags);
      const { data: there } = await listSamples(machine.desk, at);
      if (there.length > 0)
        throw new Fault('request.conflict', {
          detail: `There are samples already: ${there.map(({ name }) => name).join(', ')}.`,
          hint: 'isthmus samples remove takes them away.',
        });
      if (flags.dryRun === true) return undefined;
      const actor = await administratorOf(machine);
      const target = `http://127.0.0.1:${new URL(echo).port}`;
      const made = await makeSamples(machine.desk, actor, { at, target, isWhole: true });
      if (made === undefined)
        throw new Fault('request.conflict', {
          detail: `An API of yours has one of the paths of the samples: ${paths.join(', ')}.`,
        });
      await auditSamples(machine.desk, actor, at);
      return made;
    });
    if (keys === undefined) {
      for (const path of paths) say(`API ${sampleName(path)} would be made`);
      return;
    }
    const { callSamples } = await import('../samples.ts');
    const signal = AbortSignal.timeout(callingMsMax);
    const calls = await callSamples(gateway, keys, { clock: systemClock, signal });
    if (flags.json === true) return print(JSON.stringify({ apis: paths, keys, calls }, undefined, 2));
    say(
      `made ${paths.length} APIs and 2 applications, and called them ${calls} times; their keys are shown this once:`,
    );
    print(`Demo shop, ${samplePaths.orders}: ${keys.orders}`);
    if (keys.stock === undefined) return;
    print(`Demo shop, ${samplePaths.stock}: ${keys.stock.shop}`);
    print(`Demo kiosk, ${samplePaths.stock}: ${keys.stock.kiosk}`);
  });
}

/** All of the calls. */
const callingMsMax = 60_000;

async function placeOf({ desk, organization }: MachineDesk, { environment }: Flags) {
  const { demandEnvironment } = await import('../../control-plane/management/tenants/tenants.ts');
  return { organization, environment: await demandEnvironment(desk.storage.db, organization, environment) };
}

/** Objects belong to a person, which the command line is not. */
async function administratorOf({ desk, organization }: MachineDesk) {
  const { administratorOf: find } = await import('../../control-plane/boot.ts');
  const actor = await find(desk, organization);
  if (actor === undefined)
    throw new Fault('request.not_found', { detail: 'The organization has no administrator.' });
  return actor;
}

/** Where the parts of a running `isthmus up` are. Errors: config.invalid where there is none in the folder. */
function addressesOf(flags: Flags): { readonly echo: string; readonly gateway: string } {
  const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
  const file = foldersOf(config.dataDir).addresses;
  try {
    const { echo, gateway } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    if (echo !== undefined && gateway !== undefined) return { echo, gateway };
  } catch {
    // Told below.
  }
  throw new Fault('config.invalid', {
    detail: `No isthmus up has run in ${config.dataDir}, and samples call its built-in backend.`,
    hint: 'isthmus up --samples starts one with samples.',
  });
}
