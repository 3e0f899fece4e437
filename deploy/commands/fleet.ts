import { Option, type Command } from 'commander';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { print, say } from '../terminal.ts';

type Flags = ConfigFlags & { readonly keep: 'refused' | 'holder'; readonly json?: true };

/** `isthmus fleet`: what an operator settles about gateways. */
export function fleetCommand(): Command {
  const command = createCommand({
    name: 'fleet',
    summary: 'Settles what only an operator can know about gateways.',
    examples: ['isthmus fleet reseat 7c9e6679-7425-40de-944b-e07fc1f90ae7'],
  });
  command.addCommand(reseatCommand());
  return command;
}

function reseatCommand(): Command {
  const command = createCommand({
    name: 'reseat',
    summary: 'Says which of two processes with one identity is the right one; the other is refused.',
    examples: [
      'isthmus fleet reseat <gateway>                  # the one that was refused last takes the seat',
      'isthmus fleet reseat <gateway> --keep holder    # the one that sits stays',
      '# a copied machine should enrol by itself: remove identity.json and seat.json of its data folder',
    ],
  });
  return withConfig(command)
    .argument('<gateway>', 'its id, as events and the list of gateways show it')
    .addOption(
      new Option('--keep <who>', 'who has the seat from now on')
        .choices(['refused', 'holder'])
        .default('refused'),
    )
    .option('--json', 'say the result as JSON')
    .action(async (gateway: string, flags: Flags) => {
      const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { reseatGateway } = await import('../../control-plane/management/fleets/reseat.ts');
      const log = createLog({ name: 'isthmus', level: 'warn' });
      const { url } = config.database;
      const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing' });
      try {
        const seats = await reseatGateway(storage, { gateway, keep: flags.keep, nowMs: systemClock.now() });
        if (flags.json === true) return print(JSON.stringify({ gateway, keep: flags.keep, seats }));
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
