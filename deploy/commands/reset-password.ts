import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { readPassword } from '../../control-plane/access/passwords.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { createCommandLog, print, say } from '../terminal.ts';

type Flags = ConfigFlags & {
  readonly organization: string;
  readonly deleteTokens?: true;
  readonly json?: true;
};

/** Never a flag: other users of the machine see those. */
const passwordVariable = 'ISTHMUS_NEW_PASSWORD';

/** `isthmus reset-password <user>`. */
export function resetPasswordCommand(): Command {
  const command = createCommand({
    name: 'reset-password',
    summary:
      'Gives a user of the management API a new password, shown once, and ends all sessions of the user.',
    examples: [
      'isthmus reset-password admin',
      'isthmus reset-password --config isthmus.yaml ann --delete-tokens    # when more than the password got out',
      `${passwordVariable}=... isthmus reset-password admin          # this one instead of a made one`,
    ],
  });
  return withConfig(command)
    .argument('<user>', 'the name that the user signs in with')
    .option('--organization <id>', "the user's organization, by id or human-readable id", 'DEFAULT')
    .option('--delete-tokens', 'delete the personal tokens of the user as well')
    .option('--json', 'say the result as JSON')
    .action(async (username: string, flags: Flags) => {
      const given = readPassword(process.env[passwordVariable], passwordVariable);
      const password = given ?? randomBytes(18).toString('base64url');
      const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { resetPassword } = await import('../../control-plane/management/account/account.ts');
      const log = createCommandLog();
      const { url } = config.database;
      const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing' });
      try {
        const { organization, deleteTokens = false } = flags;
        const wish = { organization, username, password, deletesTokens: deleteTokens };
        const done = await resetPassword({ storage, clock: systemClock }, wish);
        if (flags.json === true)
          return print(JSON.stringify({ username, ...done, ...(given === undefined ? { password } : {}) }));
        say(
          `${username} has a new password; ${done.sessionsClosed} sessions ended, ${done.tokensDeleted} tokens deleted`,
        );
        if (done.tokensLeft > 0)
          say(`${done.tokensLeft} personal tokens go on working; --delete-tokens deletes them`);
        if (given !== undefined) return;
        say('It is shown this once, on standard output:');
        print(password);
      } finally {
        await storage.close();
      }
    });
}
