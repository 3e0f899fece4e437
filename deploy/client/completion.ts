import { Argument, type Command } from 'commander';
import { createCommand } from '../command.ts';
import { print } from '../terminal.ts';
import { kindWords } from './kinds.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** Commands whose first argument is a kind. */
const ofKinds = ['get', 'describe', 'delete'];

/** What is completed: commands with their subcommands and options, kinds where a kind is asked for, else files. */
interface Words {
  readonly name: string;
  readonly words: readonly string[];
}

/** `isthmus completion <shell>`; the commands are those of the program that it is part of. */
export function completionCommand(): Command {
  const command = createCommand({
    name: 'completion',
    summary: 'Prints what completes this command line in a shell.',
    examples: [
      'source <(isthmus completion bash)                                   # in ~/.bashrc',
      'source <(isthmus completion zsh)                                    # in ~/.zshrc, after compinit',
      'isthmus completion fish > ~/.config/fish/completions/isthmus.fish',
    ],
  });
  return command.addArgument(new Argument('<shell>').choices(shells)).action(async (shell: Shell) => {
    const { commands } = await import('../run-command.ts');
    const loaded = await Promise.all([...commands.values()].map((load) => load(() => undefined)));
    print(scriptOf(shell, loaded.map(wordsOf)));
  });
}

function wordsOf(command: Command): Words {
  const options = command.options
    .map(({ long, short }) => long ?? short ?? '')
    .filter((option) => option !== '');
  const kinds = ofKinds.includes(command.name()) ? kindWords : [];
  const within = command.commands.map((each) => each.name());
  return { name: command.name(), words: [...within, ...kinds, ...options, '--help'] };
}

function scriptOf(shell: Shell, all: readonly Words[]): string {
  if (shell === 'fish') return fishOf(all);
  const cases = all.map(({ name, words }) => `    ${name}) words='${words.join(' ')}' ;;`).join('\n');
  const bash = `_isthmus() {
  local words='${all.map(({ name }) => name).join(' ')}' current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -gt 1 ]; then case "\${COMP_WORDS[1]}" in
${cases}
    *) words='' ;;
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _isthmus isthmus`;
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

function fishOf(all: readonly Words[]): string {
  const names = all.map(({ name }) => name).join(' ');
  return [
    `complete -c isthmus -n __fish_use_subcommand -f -a '${names}'`,
    ...all.map(
      ({ name, words }) =>
        `complete -c isthmus -n '__fish_seen_subcommand_from ${name}' -a '${words.join(' ')}'`,
    ),
  ].join('\n');
}
