import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { readPassword } from '../../control-plane/access/passwords.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { createCommandLog, print, say } from '../terminal.ts';

type Flags = ConfigFlags & { readonly organization: string; readonly json?: true };

/** Never a flag: other users of the machine see those. */
const passwordVariable = 'ISTHMUS_NEW_PASSWORD';
const lastsMs = 24 * 3_600_000;

/** `isthmus break-glass <user>`. */
export function breakGlassCommand(): Command {
  const command = createCommand({
    name: 'break-glass',
    summary:
      'Lets an administrator in while no identity provider does: makes or enables the user, with a new password, for 24 h even where passwords open nothing.',
    examples: [
      'isthmus break-glass rescue',
      'isthmus break-glass --config isthmus.yaml admin',
      `${passwordVariable}=... isthmus break-glass rescue          # this one instead of a made one`,
    ],
  });
  return withConfig(command)
    .argument('<user>', 'the name that the user signs in with; one who is not there is made')
    .option('--organization <id>', "the user's organization, by id or human-readable id", 'DEFAULT')
    .option('--json', 'say the result as JSON')
    .action(async (username: string, flags: Flags) => {
      const given = readPassword(process.env[passwordVariable], passwordVariable);
      const password = given ?? randomBytes(18).toString('base64url');
      const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { breakGlass } = await import('../../control-plane/management/account/break-glass.ts');
      const log = createCommandLog();
      const { url } = config.database;
      const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing' });
      try {
        const wish = { organization: flags.organization, username, password, lastsMs };
        const done = await breakGlass({ storage, clock: systemClock }, wish);
        const until = new Date(done.passwordUntilMs).toISOString();
        if (flags.json === true)
          return print(
            JSON.stringify({
              username,
              isNew: done.isNew,
              sessionsClosed: done.sessionsClosed,
              passwordUntil: until,
              ...(given === undefined ? { password } : {}),
            }),
          );
        say(
          `${username} is an administrator, and comes in by password until ${until} whatever the settings say`,
        );
        if (given !== undefined) return;
        say('The password is shown this once, on standard output:');
        print(password);
      } finally {
        await storage.close();
      }
    });
}
