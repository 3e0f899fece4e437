import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { keyIdOf } from '../../proto/process/secrets.ts';
import { identityFile, resealIdentity } from '../../proto/trust/identity.ts';
import type { RolledKek } from '../../control-plane/publish/roll-kek.ts';
import { createCommand, withConfig } from '../command.ts';
import { print, say } from '../terminal.ts';
import { type KeyFlags, type KeyParts, operator, withKeys } from './key-parts.ts';

type RollFlags = KeyFlags & { readonly dryRun?: true; readonly keepOld?: true };

/** `isthmus keys roll-kek`. */
export function rollKekCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'roll-kek',
    summary:
      'Gives a control plane a new key-encryption key and seals all keys in its database under it, while it runs.',
    examples: [
      'isthmus keys roll-kek --dry-run                   # what would be sealed again, and which keys would go',
      'isthmus keys roll-kek --yes                       # killed in the middle, say it again: it goes on',
      'isthmus keys roll-kek --yes --keep-old            # secrets/kek keeps the older keys too, so that backups from before open',
      '# then: isthmus backup, and keep the new secrets/kek elsewhere than the backup; other control planes need the same file',
    ],
  });
  return withConfig(command)
    .option('--yes', 'yes, the present key is to end')
    .option('--keep-old', 'leave the older keys in the file, to open backups from before')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'say the result as JSON')
    .action(async (flags: RollFlags) => {
      const isDryRun = flags.dryRun === true;
      if (flags.yes !== true && !isDryRun)
        command.error(
          'roll-kek replaces secrets/kek: backups from before need the old one, so keep a copy (or --keep-old); say --yes',
        );
      const { rollKek } = await import('../../control-plane/publish/roll-kek.ts');
      const { recordKek } = await import('../../control-plane/management/audit/keys.ts');
      await withKeys(flags, async (parts) => {
        let done = 0;
        const rolled = await rollKek(
          {
            ...parts,
            dir: parts.secretsDir,
            others: () => sealedBeside(parts),
            onWait: () => say('another roll was begun and did not end; waiting until its lease is over'),
          },
          {
            isDryRun,
            keepsOld: flags.keepOld === true,
            record: (trx, each) => recordKek(trx, each, { operator, nowMs: parts.clock.now() }),
            onStep: (step) => {
              if (step.kind === 'made') return say(`key ${step.key} was made and seals from now on`);
              done += step.rows;
              say(`${done} keys of the database sealed again`);
            },
          },
        );
        if (rolled.left.length > 0) onExit(1);
        if (flags.json === true) return print(JSON.stringify(rolled));
        for (const line of linesOf(rolled, isDryRun)) say(line);
      });
    });
}

function linesOf(
  { key, isNew, resealed, forgotten, kept, left }: RolledKek,
  isDryRun: boolean,
): readonly string[] {
  const list = (ids: readonly string[]): string => (ids.length === 0 ? 'none' : ids.join(', '));
  const damaged = left.map((context) => `not sealed under it, and left as it is: ${context}`);
  if (isDryRun)
    return [
      isNew
        ? `a new key would be made; ${key} seals so far`
        : `a roll to key ${key} was begun, and would be finished`,
      `${resealed} values would be sealed again; keys that would go: ${list(forgotten)}; that would stay: ${list(kept)}`,
      ...damaged,
    ];
  return [
    isNew ? `key ${key} seals` : `a roll that was begun before is finished: key ${key} seals`,
    `${resealed} values sealed again; keys that went: ${list(forgotten)}; that stay: ${list(kept)}`,
    ...damaged,
    'make a new backup now, and a copy of secrets/kek; give it to the other control planes of this database',
  ];
}

/** A gateway or shipper of the same data folder has its identity under the same key: it is sealed again. Says which keys are needed after all. */
function sealedBeside({ secretsDir, dataDir, keyring }: KeyParts): readonly string[] {
  const folders = foldersOf(dataDir);
  if (resolve(folders.secrets) !== resolve(secretsDir)) return [];
  resealIdentity(dataDir, keyring);
  return [join(dataDir, identityFile), folders.begunEnrolment].flatMap(keysIn);
}

function keysIn(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const found: string[] = [];
  JSON.parse(readFileSync(path, 'utf8'), (name, value: unknown) => {
    if (name === 'sealedPrivateKey' && typeof value === 'string')
      found.push(keyIdOf(Buffer.from(value, 'base64')));
    return value;
  });
  return found;
}
