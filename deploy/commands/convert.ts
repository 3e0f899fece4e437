import { statSync } from 'node:fs';

import type { Command } from 'commander';
import type { Migration } from '../../proto/definition/v2/migrate.ts';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import { isJson } from '../../proto/definition/opened.ts';
import { createCommand } from '../command.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import { print, say } from '../terminal.ts';

/** How it was asked. */
export interface Flags {
  readonly emulate?: true;
  readonly json?: true;
  readonly service?: string;
  readonly target?: string;
  readonly validate?: true;
  readonly xmlAnswers?: true;
  readonly out?: string;
}

/** `isthmus convert`: an API of any version, or a description of a SOAP service, as an export of version 4. */
export function convertCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'convert',
    summary:
      'Writes an API of any version, or a service of SOAP that a WSDL file describes, as an export of version 4, and says what becomes of it.',
    examples: [
      'isthmus convert ferries.json > ferries-v4.json   # what is to be known of it stands on standard error',
      'isthmus convert ferries.yaml --emulate           # an API of the v3 engine by the rules of version 4',
      'isthmus convert buoys.yaml > buoys.json          # a custom resource of version 4 as JSON, for a control plane',
      'isthmus convert orders.wsdl --validate            # REST in front of SOAP: a flow per operation, JSON held against its schema',
      'isthmus convert exports --out converted          # each API of a folder, by itself, below another one; what is left stands on standard error',
      'isthmus convert ferries.json --json              # state, issues, notes, what is refused here, and the export in one object',
    ],
  });
  return command
    .argument(
      '<file>',
      'a definition, an export or a custom resource, as JSON or YAML, or WSDL 1.1 (.wsdl, .xml); - for standard input; or a folder of JSON and YAML files, with those in it',
    )
    .option(
      '--emulate',
      'take an API of the v3 engine for one of emulation, whose rules are those of version 4',
    )
    .option('--service <name>', 'of WSDL: which service, where it has several')
    .option('--target <url>', 'of WSDL: where the backend is, in place of what it says')
    .option(
      '--validate',
      'of WSDL: requests and answers are held against the OpenAPI document that it becomes',
    )
    .option('--xml-answers', 'of WSDL: answers stay XML, and do not become JSON')
    .option('--json', 'the report and the export as one JSON object')
    .option(
      '--out <folder>',
      'of a folder: where <name>.v4.json of each API is written; default: beside its file',
    )
    .action(async (file: string, flags: Flags) => {
      const migrated = async (one: string): Promise<Migration> =>
        withoutScripts(await migrateFile(one, flags.emulate === true));
      if (file !== '-' && statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
        const { convertFolder } = await import('./convert-folder.ts');
        return onExit(await convertFolder(file, flags, { migrated, refusalsOf }));
      }
      if (flags.out !== undefined)
        throw new Fault('config.invalid', {
          details: [
            { path: '--out', message: 'belongs to a folder; the export of one file goes to standard output' },
          ],
        });
      const migration = /\.(wsdl|xml)$/i.test(file) ? await describeFile(file, flags) : await migrated(file);
      const refusals = await refusalsOf(migration.v4);
      if (flags.json === true) print(JSON.stringify({ ...migration, refusals }, undefined, 2));
      else tell(file, migration, refusals);
      onExit(migration.v4 === undefined || refusals.length > 0 ? 1 : 0);
    });
}

/** What of the export no gateway of this version takes: it loses nothing of the API, and has to be changed by hand. */
async function refusalsOf(v4: Migration['v4']): Promise<readonly FaultDetail[]> {
  if (v4 === undefined) return [];
  const { namedToRead } = await import('../../proto/definition/glance.ts');
  const { readApi } = await import('../../proto/definition/read.ts');
  try {
    readApi(namedToRead(v4));
    return [];
  } catch (error) {
    if (error instanceof Fault && error.details.length > 0) return error.details;
    throw error;
  }
}

/** The same with JavaScript in place of Groovy, wherever it can be translated whole. */
async function withoutScripts(migration: Migration): Promise<Migration> {
  const { withoutGroovy } = await import('../../proto/definition/groovy/steps.ts');
  const { document, steps } = withoutGroovy(migration.v4);
  if (steps.length === 0 || !isJson(document)) return migration;
  const notes = steps.map(({ path, message }) => ({ path, kind: 'doubt' as const, message }));
  return { ...migration, v4: document, notes: [...migration.notes, ...notes] };
}

async function migrateFile(file: string, emulates: boolean): Promise<Migration> {
  const { readGivenFile } = await import('../../data-plane/local/files.ts');
  const { apisOf } = await import('../../data-plane/local/records.ts');
  const { migrate } = await import('../../proto/definition/v2/migrate.ts');
  const read = await readGivenFile(file);
  const unreadable = (detail: string): Fault =>
    new Fault('config.unreadable', { detail, hint: 'Check the path for a slip, and what the file holds.' });
  if (read === undefined) throw unreadable(`There is no file ${file}.`);
  if (read.problem !== undefined) throw unreadable(`${file} ${read.problem}.`);
  const apis = apisOf(read);
  const [api] = apis;
  if (apis.length !== 1) throw unreadable(`${file} holds ${apis.length} APIs; one is converted at a time.`);
  return migrate(api, { emulates });
}

/** A service of SOAP as an API; what it imports is not fetched. */
async function describeFile(file: string, flags: Flags): Promise<Migration> {
  const { openApiOfWsdl } = await import('../../proto/definition/wsdl/wsdl.ts');
  const { readOpenApi } = await import('../../proto/definition/openapi/open-api.ts');
  const { service, target } = flags;
  const issue = (message: string): Migration => ({
    state: 'IMPOSSIBLE',
    issues: [{ path: '', message, state: 'IMPOSSIBLE' }],
    notes: [],
    v4: undefined,
  });
  try {
    const made = openApiOfWsdl([{ url: '', text: await textOf(file) }], { service, target });
    if (made.kind === 'needs')
      return issue(
        `imports ${made.urls.join(', ')}, and a command fetches nothing: import it by the management API, or put what it imports into it`,
      );
    const v4 = readOpenApi(made.document, {
      isFlowPerOperation: true,
      policies: flags.xmlAnswers === true ? ['rest-to-soap'] : ['rest-to-soap', 'xml-json'],
      isValidated: flags.validate === true,
      target,
    });
    const planless = {
      path: 'plans',
      kind: 'doubt',
      message: 'are not there yet: it lets nobody in',
    } as const;
    return { state: 'MIGRATABLE', issues: [], notes: [planless], v4 };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'request.invalid') throw error;
    const issues = error.details.map((detail) => ({ ...detail, state: 'IMPOSSIBLE' as const }));
    return { state: 'IMPOSSIBLE', issues, notes: [], v4: undefined };
  }
}

/** Errors: config.unreadable for what is not there, too large, or no text. */
async function textOf(file: string): Promise<string> {
  const { readFile, stat } = await import('node:fs/promises');
  const { documentsCharsMax } = await import('../../proto/definition/wsdl/documents.ts');
  const unreadable = (detail: string): Fault =>
    new Fault('config.unreadable', { detail, hint: 'Check the path for a slip, and what the file holds.' });
  try {
    const { size } = await stat(file);
    if (size > documentsCharsMax) throw unreadable(`${file} is larger than ${documentsCharsMax} bytes.`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw unreadable(`${file}: ${systemWords(error)}.`);
  }
}

function tell(file: string, { state, issues, notes, v4 }: Migration, refusals: readonly FaultDetail[]): void {
  say(`${state}  ${file}`);
  for (const { path, message } of refusals) say(`refused  ${path} ${message}`);
  for (const { path, message, state: weight } of issues) say(`${weight}  ${path} ${message}`);
  for (const { path, message } of notes.filter(({ kind }) => kind !== 'portal'))
    say(`note  ${path} ${message}`);
  if (v4 !== undefined) print(JSON.stringify(v4, undefined, 2));
}
