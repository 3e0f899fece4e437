/**
 * Runs commands of the executable one after another in one process, whose argument is a list of their words as JSON, and prints what came
 * of each: a process per command would take a minute. Those that do not end within `commandMsMax` are said to run.
 */
import { closeBuiltIns } from '../../../proto/process/built-ins.ts';
import { runCommand } from '../../../deploy/run-command.ts';

/** What came of one command. */
export interface CommandEnd {
  readonly args: readonly string[];
  readonly code: number | 'runs';
  readonly said: string;
}

const commandMsMax = 15_000;

closeBuiltIns();
// The root of the tests may make what it likes; whoever runs these has a number that owns nothing.
const [user, list] = [process.argv[2] ?? '', process.argv[3] ?? '[]'];
if (user !== '') {
  process.setgroups?.([]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
const out = process.stdout.write.bind(process.stdout);
const ends: CommandEnd[] = [];
for (const args of JSON.parse(list) as readonly (readonly string[])[]) {
  let said = '';
  const keep = (text: unknown): boolean => ((said += String(text)), true);
  process.stdout.write = keep;
  process.stderr.write = keep;
  const late = new Promise<'runs'>((resolve) => setTimeout(resolve, commandMsMax, 'runs').unref());
  const code = await Promise.race([runCommand(args), late]);
  ends.push({ args, code, said });
  if (code === 'runs') break;
}
out(JSON.stringify(ends), () => process.exit(0));
