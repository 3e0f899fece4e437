import type { Command } from 'commander';
import type { RevocationOptions } from '../../control-plane/publish/revocation.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { createCommandLog, print, say } from '../terminal.ts';

type Flags = ConfigFlags & { readonly json?: true; readonly yes?: true };
type RevokeFlags = Flags & { readonly organization?: string; readonly environment?: string };
type RootFlags = Flags & { readonly organization: string };

const operator = 'isthmus keys';

/** `isthmus keys`: what an operator does when a signing key may be in other hands. */
export function keysCommand(): Command {
  return createCommand({
    name: 'keys',
    summary: 'Takes keys that sign configuration out of use; gateways follow by themselves.',
    examples: [
      'isthmus keys revoke --config isthmus.yaml --yes    # new publishing keys, next epoch',
      'isthmus keys roll-root --config isthmus.yaml --yes # a new root, named by the old one',
    ],
  })
    .addCommand(revokeCommand())
    .addCommand(rollRootCommand());
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

async function organizationOf({ storage }: RevocationOptions, named: string): Promise<string> {
  const { resolveOrganization } = await import('../../control-plane/management/tenants/tenants.store.ts');
  const found = await resolveOrganization(storage.db, named);
  if (found !== undefined) return found.id;
  throw new Fault('request.not_found', {
    detail: `There is no organization "${named}".`,
    hint: 'Give its id or human-readable id; the first one is called DEFAULT.',
  });
}

async function withKeys(flags: Flags, work: (parts: RevocationOptions) => Promise<void>): Promise<void> {
  const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
  const log = createCommandLog();
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const { openKeyringOf } = await import('../../control-plane/publish/sealed.ts');
  const { url } = config.database;
  // A restore that is asked for meanwhile is refused.
  const hold = { onLost: () => undefined };
  const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing', hold });
  try {
    const keyring = await openKeyringOf(storage.db, {
      dir: config.secrets.dir ?? foldersOf(config.dataDir).secrets,
    });
    await work({ storage, keyring, clock: systemClock });
  } finally {
    await storage.close();
  }
}
