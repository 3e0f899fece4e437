import { type Command, Option } from 'commander';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import type { CheckedFile, JudgeDocument } from '../../data-plane/local/check.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { print } from '../terminal.ts';

type Flags = ConfigFlags & { readonly json?: true; readonly for?: string; readonly convert?: true };
type Said = CheckedFile['problems'][number];

const placeOf = ({ path, document, line }: Said): string =>
  [document === undefined ? '' : `(document ${document})`, path, line === undefined ? '' : `(line ${line})`]
    .filter((part) => part !== '')
    .join(' ');

const lineOf = (file: string, place: string, message: string): string =>
  `${file}: ${place === '' ? '' : `${place} `}${message}`;

/** Everything that is said of a file; of many places the same note is one line. */
function linesOf({ file, problems, notes }: CheckedFile): readonly string[] {
  const places = Map.groupBy(notes, ({ message }) => message);
  return [
    ...(problems.length === 0 ? [`ok       ${file}`] : []),
    ...problems.map((problem) => `refused  ${lineOf(file, placeOf(problem), problem.message)}`),
    ...[...places].map(([message, all]) => `note     ${lineOf(file, all.map(placeOf).join(', '), message)}`),
  ];
}

/**
 * `isthmus check`: what a gateway would refuse, before it is asked; where the package has a control plane (`importing`), also what its
 * import would.
 */
export function checkCommand(
  onExit: (code: number) => void,
  importing?: () => Promise<JudgeDocument>,
): Command {
  const command = createCommand({
    name: 'check',
    summary: 'Checks API definitions as a gateway would, without one: every fault with its place.',
    examples: [
      'isthmus check ./apis                  # all JSON and YAML files of a folder, together',
      'isthmus check orders.json billing.yaml',
      'isthmus check ./apis --json           # exit code 1 when a gateway would refuse something',
      'isthmus check ./apis --convert        # scripts of Groovy as JavaScript, as far as docs/groovy.md has them',
      ...(importing === undefined
        ? []
        : ['isthmus check ./exports --for control-plane    # what an import would refuse']),
    ],
  });
  if (importing !== undefined)
    command.addOption(
      new Option('--for <whom>', 'who is to take them; a control plane imports each by itself')
        .choices(['gateway', 'control-plane'])
        .default('gateway'),
    );
  return withConfig(command)
    .argument(
      '<files...>',
      'definitions, isthmus.yaml with subscriptions, or folders of both; - for standard input',
    )
    .option('--convert', 'show each script of Groovy as JavaScript, or the place that cannot be translated')
    .option('--json', 'as JSON')
    .action(async (paths: readonly string[], flags: Flags) => {
      const { checkDocuments, checkFiles, skippedFolders } = await import('../../data-plane/local/check.ts');
      const { folderNote } = await import('../../data-plane/local/files.ts');
      const judged =
        importing !== undefined && flags.for === 'control-plane'
          ? await checkDocuments(paths, await importing())
          : await checkFiles(paths, loadFor(gatewayConfigSchema, { process: 'gateway', flags }).config);
      const files = flags.convert === true ? await withScripts(judged, paths) : judged;
      const folders = await skippedFolders(paths);
      const lines = files.length === 0 ? ['There is no JSON or YAML file.'] : files.flatMap(linesOf);
      const notes = folders.map((folder) => `note     ${lineOf(folder, '', folderNote)}`);
      if (flags.json === true) print(JSON.stringify({ files, folders }, undefined, 2));
      else print([...lines, ...notes].join('\n'));
      onExit(files.length > 0 && files.every(({ problems }) => problems.length === 0) ? 0 : 1);
    });
}

/** The same with a note on each step of Groovy. */
async function withScripts(
  files: readonly CheckedFile[],
  paths: readonly string[],
): Promise<readonly CheckedFile[]> {
  const { checkDocuments } = await import('../../data-plane/local/check.ts');
  const { withoutGroovy } = await import('../../proto/definition/groovy/steps.ts');
  const told = await checkDocuments(paths, (document) =>
    withoutGroovy(document).steps.map(({ path, configuration, message }) => ({
      path,
      kind: 'doubt',
      message:
        configuration === undefined
          ? message
          : `as a step of js, with ${JSON.stringify({ ...configuration, script: undefined })}:\n${String(configuration['script'])}`,
    })),
  );
  return files.map((each) => ({
    ...each,
    notes: [...each.notes, ...(told.find(({ file }) => file === each.file)?.notes ?? [])],
  }));
}
