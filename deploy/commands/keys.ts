import type { Command } from 'commander';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, withConfig } from '../command.ts';
import { print, say } from '../terminal.ts';
import { type KeyFlags, operator, organizationOf, withKeys } from './key-parts.ts';
import { rollDataCommand } from './roll-data.ts';
import { rollKekCommand } from './roll-kek.ts';

type RevokeFlags = KeyFlags & { readonly organization?: string; readonly environment?: string };
type RootFlags = KeyFlags & { readonly organization: string };

/** `isthmus keys`: what an operator does when a signing key may be in other hands. */
export function keysCommand(onExit: (code: number) => void): Command {
  return createCommand({
    name: 'keys',
    summary: 'Takes keys that sign configuration or seal secrets out of use; gateways follow by themselves.',
    examples: [
      'isthmus keys revoke --config isthmus.yaml --yes    # new publishing keys, next epoch',
      'isthmus keys roll-root --config isthmus.yaml --yes # a new root, named by the old one',
      'isthmus keys roll-data --config isthmus.yaml --yes # new keys for the secrets of definitions',
      'isthmus keys roll-kek --config isthmus.yaml --yes  # a new secrets/kek',
    ],
  })
    .addCommand(revokeCommand())
    .addCommand(rollRootCommand())
    .addCommand(rollKekCommand(onExit))
    .addCommand(rollDataCommand(onExit));
}

function revokeCommand(): Command {
  const command = createCommand({
    name: 'revoke',
    summary:
      'Gives environments a new publishing key and the next epoch; the keys before sign nothing any more.',
    examples: [
      'isthmus keys revoke --yes                        # every environment; control planes, bridges and gateways go on',
      'isthmus keys revoke --yes --environment DEFAULT',
      '# then: isthmus backup. A gateway that is cut off believes the old key until it hears of the new epoch',
    ],
  });
  return withConfig(command)
    .option('--organization <id>', 'of this organization alone: its id or human-readable id')
    .option('--environment <id>', 'of this environment alone')
    .option('--yes', 'yes, the present publishing keys are to end')
    .option('--json', 'say the result as JSON')
    .action(async (flags: RevokeFlags) => {
      if (flags.yes !== true) command.error('revoke ends the present publishing keys for good; say --yes');
      const { revokeKeys } = await import('../../control-plane/publish/revocation.ts');
      const { recordKeys } = await import('../../control-plane/management/audit/keys.ts');
      await withKeys(flags, async (parts) => {
        const { environment } = flags;
        const organization =
          flags.organization === undefined ? undefined : await organizationOf(parts, flags.organization);
        const by = { operator, nowMs: systemClock.now() };
        const revoked = await revokeKeys(parts, {
          organization,
          environment,
          record: (trx, each) => recordKeys(trx, each, by),
        });
        if (flags.json === true) return print(JSON.stringify({ revoked }));
        for (const each of revoked)
          say(
            `${each.organization}/${each.environment}: key ${each.keyId} signs, epoch ${each.epoch}; revoked: ${each.revoked.join(', ')}`,
          );
        say('gateways follow as soon as they hear of it; make a new backup');
      });
    });
}

function rollRootCommand(): Command {
  const command = createCommand({
    name: 'roll-root',
    summary:
      "Gives an organization a new root key, which the old one names, and deletes the old one's private half.",
    examples: [
      'isthmus keys roll-root --yes                      # gateways of this version and later follow; older ones have to be upgraded first',
      '# then: isthmus backup, and new enrolment tokens: those from before carry the old root, and end with it',
    ],
  });
  return withConfig(command)
    .option('--organization <id>', 'whose root: id or human-readable id', 'DEFAULT')
    .option('--yes', 'yes, the present root is to end')
    .option('--json', 'say the result as JSON')
    .action(async (flags: RootFlags) => {
      if (flags.yes !== true) command.error('roll-root ends the present root for good; say --yes');
      const { rollRoot } = await import('../../control-plane/publish/revocation.ts');
      const { recordRoot } = await import('../../control-plane/management/audit/keys.ts');
      await withKeys(flags, async (parts) => {
        const by = { operator, nowMs: systemClock.now() };
        const rolled = await rollRoot(parts, {
          organization: await organizationOf(parts, flags.organization),
          record: (trx, each) => recordRoot(trx, each, by),
        });
        if (flags.json === true) return print(JSON.stringify(rolled));
        say(
          `${rolled.organization} has a new root; ${rolled.environments} environments are certified by it, ${rolled.tokens} enrolment tokens ended`,
        );
        say(
          'gateways follow as soon as they hear of it; make a new backup now: one from before holds the old root',
        );
      });
    });
}
