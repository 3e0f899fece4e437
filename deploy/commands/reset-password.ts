import type { Command } from 'commander';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, withConfig, type ConfigFlags } from '../command.ts';
import { print, say } from '../terminal.ts';
import { passwordVariable, withNewPassword } from './new-password.ts';

type Flags = ConfigFlags & {
  readonly organization: string;
  readonly deleteTokens?: true;
  readonly json?: true;
};

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
    .action((username: string, flags: Flags) =>
      withNewPassword(flags, async (storage, { password, made }) => {
        const { resetPassword } = await import('../../control-plane/management/account/account.ts');
        const { organization, deleteTokens = false } = flags;
        const wish = { organization, username, password, deletesTokens: deleteTokens };
        const done = await resetPassword({ storage, clock: systemClock }, wish);
        if (flags.json === true) return print(JSON.stringify({ username, ...done, password: made }));
        say(
          `${username} has a new password; ${done.sessionsClosed} sessions ended, ${done.tokensDeleted} tokens deleted`,
        );
        if (done.tokensLeft > 0)
          say(`${done.tokensLeft} personal tokens go on working; --delete-tokens deletes them`);
        if (done.hasSecondFactor)
          say('the second factor stays; isthmus break-glass takes it, or an administrator in the console');
        if (made === undefined) return;
        say('It is shown this once, on standard output:');
        print(made);
      }),
    );
}
