import type { Command } from 'commander';
import { Fault } from '../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { RolledData } from '../../control-plane/management/data-keys/roll-data.ts';
import { createCommand, withConfig } from '../command.ts';
import { print, say } from '../terminal.ts';
import { type KeyFlags, type KeyParts, operator, organizationOf, withKeys } from './key-parts.ts';

type RollFlags = KeyFlags & {
  readonly dryRun?: true;
  readonly organization?: string;
  readonly environment?: string;
};

/** `isthmus keys roll-data`. */
export function rollDataCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'roll-data',
    summary:
      'Gives environments a new key for the secrets of definitions, seals all of them with it and deletes the one before, while everything runs.',
    examples: [
      'isthmus keys roll-data --dry-run                  # how many texts would be sealed again, and which keys would go',
      'isthmus keys roll-data --yes                      # every environment; killed in the middle, say it again: it goes on',
      'isthmus keys roll-data --yes --environment DEFAULT',
      '# the secrets stay what they are: change those that somebody may have read',
    ],
  });
  return withConfig(command)
    .option('--organization <id>', 'of this organization alone: its id or human-readable id')
    .option('--environment <id>', 'of this environment alone: its id or human-readable id')
    .option('--yes', 'yes, the present keys are to end')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'say the result as JSON')
    .action(async (flags: RollFlags) => {
      const isDryRun = flags.dryRun === true;
      if (flags.yes !== true && !isDryRun)
        command.error('roll-data ends the present keys of secrets for good; say --yes');
      const { rollData } = await import('../../control-plane/management/data-keys/roll-data.ts');
      await withKeys(flags, async (parts) => {
        let texts = 0;
        const rolled: RolledData[] = [];
        for (const [organization, of] of Map.groupBy(await keyedAs(parts, flags), (at) => at.organization)) {
          const actor = { id: operator, organization, username: operator, displayName: operator, roles: [] };
          const some = await rollData(parts.desk, actor, {
            of,
            isDryRun,
            onWait: () => say('another roll was begun and did not end; waiting until its lease is over'),
            onStep: (at, step) => {
              if (step.kind === 'made') say(`${nameOf(at)}: key ${step.key} was made and seals from now on`);
              if (step.kind === 'resealed' && step.texts > 0)
                say(`${nameOf(at)}: ${(texts += step.texts)} texts sealed again`);
              if (step.kind === 'forgotten') texts = 0;
            },
          });
          rolled.push(...some);
        }
        if (!isDryRun && rolled.some(({ forgotten }) => forgotten.length === 0)) onExit(1);
        if (flags.json === true) return print(JSON.stringify({ rolled }));
        if (rolled.length === 0) say('nothing is sealed there yet, and so there is no key to replace');
        for (const each of rolled) say(lineOf(each, isDryRun));
        if (!isDryRun && rolled.length > 0)
          say('make a new backup: one from before holds the keys from before');
      });
    });
}

/** Environments that have a key, and organizations that have one themselves. Errors: request.not_found for names that mean nothing. */
async function keyedAs(parts: KeyParts, flags: RollFlags): Promise<readonly EnvironmentRef[]> {
  const { keyedEnvironments } = await import('../../control-plane/publish/key-delivery.ts');
  const { resolveEnvironment } = await import('../../control-plane/management/tenants/tenants.store.ts');
  const { environmentsOf } = await import('../../control-plane/publish/sealed-history.ts');
  const organization =
    flags.organization === undefined ? undefined : await organizationOf(parts, flags.organization);
  const { db } = parts.storage;
  const keyed = (await keyedEnvironments(db)).filter(
    (at) => organization === undefined || at.organization === organization,
  );
  const { environment } = flags;
  if (environment === undefined) return keyed;
  const organizations = new Set((await environmentsOf(db)).map((at) => at.organization));
  const named: string[] = [];
  for (const each of organizations) {
    if (organization !== undefined && each !== organization) continue;
    const found = await resolveEnvironment(db, each, environment);
    if (found !== undefined) named.push(found.id);
  }
  if (named.length === 0)
    throw new Fault('request.not_found', {
      detail: `There is no environment ${environment} in this database.`,
      hint: 'isthmus keys roll-data without --environment takes all of them.',
    });
  return keyed.filter((at) => named.includes(at.environment));
}

const nameOf = ({ organization, environment }: EnvironmentRef): string =>
  environment === '' ? organization : `${organization}/${environment}`;

function lineOf(rolled: RolledData, isDryRun: boolean): string {
  const { key, isNew, resealed, forgotten, left } = rolled;
  if (isDryRun)
    return isNew
      ? `${nameOf(rolled)}: a new key would be made; ${resealed} texts of key ${key} would be sealed again, and it would go`
      : `${nameOf(rolled)}: a roll to key ${key} was begun; ${resealed} texts of ${forgotten.join(', ')} would be sealed again`;
  if (forgotten.length === 0)
    return `${nameOf(rolled)}: key ${key} seals, ${resealed} texts sealed again; ${left} hold what does not open, so the keys before stay. Write those secrets again, and say it again`;
  const how = isNew ? 'seals' : 'seals, as a roll that was begun before wanted';
  return `${nameOf(rolled)}: key ${key} ${how}; ${resealed} texts sealed again; deleted: ${forgotten.join(', ')}`;
}
