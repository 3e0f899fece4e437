import type { Command } from 'commander';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { atTheDesk } from './fleet-desk.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { createCommandLog, print, say, tableOf } from '../terminal.ts';

type Flags = ConfigFlags & { readonly instance?: string; readonly json?: true };

/** `isthmus fleet`: what an operator settles about gateways. */
export function fleetCommand(): Command {
  const command = createCommand({
    name: 'fleet',
    summary: 'Makes and lists fleets, and settles what only an operator can know about gateways.',
    examples: [
      'isthmus fleet create plant --tags internal',
      'isthmus fleet list',
      'isthmus fleet reseat 7c9e6679-7425-40de-944b-e07fc1f90ae7    # says between whom its seat is',
    ],
  });
  command.addCommand(createFleetCommand());
  command.addCommand(listCommand());
  command.addCommand(reseatCommand());
  return command;
}

type CreateFlags = ConfigFlags & {
  readonly environments: string;
  readonly tags?: string;
  readonly tenant?: string;
  readonly description?: string;
  readonly organization: string;
  readonly json?: true;
};

function createFleetCommand(): Command {
  const command = createCommand({
    name: 'create',
    summary: 'Makes a fleet: gateways that serve the same APIs.',
    examples: [
      'isthmus fleet create plant',
      'isthmus fleet create dmz --tags external --environments DEFAULT    # only APIs with the sharding tag external',
      'isthmus token --fleet plant --bridge https://bridge.example.com > token.txt    # what its gateways enrol with',
    ],
  });
  return withConfig(command)
    .argument('<name>', 'its name')
    .option('--environments <list>', 'whose APIs it serves, separated by commas', 'DEFAULT')
    .option(
      '--tags <list>',
      'sharding tags, separated by commas; !tag excludes; those that are not there are made',
    )
    .option('--tenant <name>', 'which endpoints of a kind are for it; made when it is not there')
    .option('--description <text>', 'for people')
    .option('--organization <id>', 'whose fleet', 'DEFAULT')
    .option('--json', 'the fleet as JSON')
    .action(async (name: string, flags: CreateFlags) => {
      const { createFleet, fleetWishSchema } =
        await import('../../control-plane/management/fleets/fleets.ts');
      const { parseWish } = await import('../../control-plane/management/fleets/by-name.ts');
      const { description, tenant } = flags;
      const environments = listOf(flags.environments);
      const wish = parseWish(fleetWishSchema, {
        name,
        description,
        tenant,
        environments,
        tags: flags.tags === undefined ? undefined : listOf(flags.tags),
      });
      const { makeMissing } = await import('./fleet-words.ts');
      const fleet = await atTheDesk(flags, async ({ desk, actor, organization }) => {
        for (const made of await makeMissing(desk, actor, { organization, ...wish })) say(`made ${made}`);
        return createFleet(desk, actor, { organization, wish });
      });
      if (flags.json === true) return print(JSON.stringify(fleet));
      say(
        `fleet ${fleet.name} (${fleet.id}); its gateways enrol with: isthmus token --fleet ${fleet.name} --bridge <url>`,
      );
    });
}

type ListFlags = ConfigFlags & { readonly organization: string; readonly json?: true };

const listOf = (text: string): readonly string[] => text.split(',').map((item) => item.trim());

function listCommand(): Command {
  const command = createCommand({
    name: 'list',
    summary: 'Lists the fleets of an organization: what gateways can enrol into, and which APIs each serves.',
    examples: [
      'isthmus fleet list',
      'isthmus fleet list --json    # the same for programs, with descriptions and times',
    ],
  });
  return withConfig(command)
    .option('--organization <id>', 'whose fleets', 'DEFAULT')
    .option('--json', 'the fleets as JSON')
    .action(async (flags: ListFlags) => {
      const { listFleets } = await import('../../control-plane/management/fleets/fleets.ts');
      const fleets = await atTheDesk(flags, ({ desk, organization }) => listFleets(desk, organization));
      if (flags.json === true) return print(JSON.stringify(fleets));
      if (fleets.length === 0) return say('no fleets here; make one: isthmus fleet create <name>');
      const rows = fleets.map(({ name, id, environments, tags, tenant = '-' }) => [
        name,
        id,
        environments.join(','),
        tags.join(',') || '-',
        tenant,
      ]);
      print(tableOf([['name', 'id', 'environments', 'tags', 'tenant'], ...rows]));
    });
}

function reseatCommand(): Command {
  const command = createCommand({
    name: 'reseat',
    summary: 'Says which of two processes with one identity is the right one; the other is refused.',
    examples: [
      'isthmus fleet reseat <gateway>                          # says who sits and who was refused',
      'isthmus fleet reseat <gateway> --instance <instance>    # as the right process says it in its /health (sync.instance)',
      '# a copied machine should enrol by itself: remove identity.json and seat.json of its data folder',
    ],
  });
  return withConfig(command)
    .argument('<gateway>', 'its id, as events and the list of gateways show it')
    .option('--instance <instance>', 'who has the seat from now on')
    .option('--json', 'say the result as JSON')
    .action(async (gateway: string, flags: Flags) => {
      const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { reseatGateway } = await import('../../control-plane/management/fleets/reseat.ts');
      const log = createCommandLog();
      const { url } = config.database;
      // A restore that is asked for meanwhile is refused.
      const hold = { onLost: () => undefined };
      const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing', hold });
      try {
        const { instance } = flags;
        const seats = await reseatGateway(storage, { gateway, instance, nowMs: systemClock.now() });
        if (flags.json === true) return print(JSON.stringify({ gateway, seats }));
        for (const { role, holder, refused } of seats)
          say(
            `${role} of ${gateway}: ${holder.instance} on ${holder.hostname} (${holder.source}) has the seat; ` +
              `${refused.instance} on ${refused.hostname} (${refused.source}) is refused`,
          );
      } finally {
        await storage.close();
      }
    });
}
