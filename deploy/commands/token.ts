import type { Command } from 'commander';
import { createCommand, wholeNumber, withConfig, type ConfigFlags } from '../command.ts';
import { atTheDesk } from './fleet-desk.ts';
import { print, say } from '../terminal.ts';

type Flags = ConfigFlags & {
  readonly fleet: string;
  readonly bridge: string;
  readonly hours: number;
  readonly uses?: number;
  readonly organization: string;
  readonly json?: true;
};

/** The longest life of a token that this command makes: a year. */
const hoursMax = 8_784;

/** `isthmus token`: what machines enrol with. The token alone goes to standard output. */
export function tokenCommand(): Command {
  const command = createCommand({
    name: 'token',
    summary: 'Makes an enrolment token with which machines become gateways of a fleet.',
    examples: [
      'isthmus token --fleet plant --bridge https://bridge.example.com > token.txt',
      'isthmus token --fleet plant --bridge https://bridge.example.com --uses 1 --hours 2 > token.txt',
      'isthmus fleet create plant    # when there is no such fleet yet',
    ],
  });
  return withConfig(command)
    .requiredOption('--fleet <name>', 'its name or id')
    .requiredOption(
      '--bridge <url>',
      'where these gateways reach the bridge, e.g. https://bridge.example.com',
    )
    .option('--hours <n>', 'how long it can be used', wholeNumber(1, hoursMax), 24)
    .option('--uses <n>', 'how many machines it lets in; default: any number', wholeNumber(1, 1_000_000))
    .option('--organization <id>', 'whose fleet', 'DEFAULT')
    .option('--json', 'the token with its id, fleet and expiry as JSON')
    .action(async (flags: Flags) => {
      const { doubtsOf } = await import('./bridge-address.ts');
      const made = await atTheDesk(flags, async (at) => {
        const { requireFleetNamed } = await import('../../control-plane/management/fleets/by-name.ts');
        const { createEnrolmentToken, enrolmentTokenWishSchema } =
          await import('../../control-plane/management/fleets/fleets.ts');
        const { parseWish } = await import('../../control-plane/management/fleets/by-name.ts');
        const { desk, actor, organization } = at;
        const expiresAt = new Date(desk.clock.now() + flags.hours * 3_600_000).toISOString();
        const wish = parseWish(enrolmentTokenWishSchema, {
          bridge: flags.bridge,
          expiresAt,
          usesMax: flags.uses,
        });
        const fleet = await requireFleetNamed(desk, organization, flags.fleet);
        const token = await createEnrolmentToken(desk, actor, { organization, id: fleet.id, wish });
        return { ...token, fleet };
      });
      const { token, id, expiresAt, fleet } = made;
      for (const doubt of doubtsOf(flags.bridge, flags)) say(`warning: ${doubt}`);
      if (flags.json === true) return print(JSON.stringify({ token, id, expiresAt, fleet: fleet.id }));
      print(token);
      const uses =
        flags.uses === undefined
          ? 'any number of machines'
          : `${flags.uses} ${flags.uses === 1 ? 'machine' : 'machines'}`;
      say(
        `lets ${uses} into fleet ${fleet.name} until ${expiresAt}; on the machine: isthmus enroll --token-file token.txt`,
      );
    });
}
