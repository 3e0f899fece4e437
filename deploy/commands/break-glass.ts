import type { Command } from 'commander';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, withConfig, type ConfigFlags } from '../command.ts';
import { print, say } from '../terminal.ts';
import { passwordVariable, withNewPassword } from './new-password.ts';

type Flags = ConfigFlags & { readonly organization: string; readonly json?: true };

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
    .action((username: string, flags: Flags) =>
      withNewPassword(flags, async (storage, { password, made }) => {
        const { breakGlass } = await import('../../control-plane/management/account/break-glass.ts');
        const wish = { organization: flags.organization, username, password, lastsMs };
        const done = await breakGlass({ storage, clock: systemClock }, wish);
        const until = new Date(done.passwordUntilMs).toISOString();
        const { passwordUntilMs: _ms, ...told } = done;
        if (flags.json === true)
          return print(JSON.stringify({ username, ...told, passwordUntil: until, password: made }));
        say(
          `${username} is an administrator, and comes in by password until ${until} whatever the settings say`,
        );
        if (done.secondFactorRemoved) say('the second factor of the user is gone: the password is enough');
        if (done.secondFactorRequired)
          say('the organization asks for a second factor: the first sign-in leads to a new one');
        if (made === undefined) return;
        say('The password is shown this once, on standard output:');
        print(made);
      }),
    );
}
