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
  /** Options that take a value, with all that it can be; files where that is anything. */
  readonly values: readonly { readonly names: readonly string[]; readonly words: readonly string[] }[];
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
  const chosen = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const values = command.options
    .filter(({ required, optional }) => required || optional)
    .map(({ long, short, argChoices = [] }) => ({
      names: [short, long].filter((name) => name !== undefined && name !== null),
      words: argChoices,
    }));
  return { name: command.name(), words: [...within, ...kinds, ...chosen, ...options, '--help'], values };
}

function scriptOf(shell: Shell, all: readonly Words[]): string {
  if (shell === 'fish') return fishOf(all);
  const cases = all.map(caseOf).join('\n');
  const bash = `_isthmus() {
  local words='${all.map(({ name }) => name).join(' ')}' current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  if [ "$COMP_CWORD" -gt 1 ]; then case "\${COMP_WORDS[1]}" in
${cases}
    *) words='' ;;
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _isthmus isthmus`;
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

/** Behind an option stands its value, and neither a kind nor another option. */
function caseOf({ name, words, values }: Words): string {
  const ofValues = values.map((value) => `${value.names.join('|')}) words='${value.words.join(' ')}' ;;`);
  const inner = ofValues.length === 0 ? '' : `; case "$before" in ${ofValues.join(' ')} esac`;
  return `    ${name}) words='${words.join(' ')}'${inner} ;;`;
}

function fishOf(all: readonly Words[]): string {
  const names = all.map(({ name }) => name).join(' ');
  return [
    `complete -c isthmus -n __fish_use_subcommand -f -a '${names}'`,
    ...all.map(
      ({ name, words }) =>
        `complete -c isthmus -n '__fish_seen_subcommand_from ${name}' -a '${words.join(' ')}'`,
    ),
    ...all.flatMap(({ name, values }) =>
      values
        .filter(({ words }) => words.length > 0)
        .map(
          ({ names, words }) =>
            `complete -c isthmus -n '__fish_seen_subcommand_from ${name}' ${names.map(fishOption).join(' ')} -x -a '${words.join(' ')}'`,
        ),
    ),
  ].join('\n');
}

const fishOption = (name: string): string =>
  name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
