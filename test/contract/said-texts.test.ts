import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { commands } from '../../deploy/run-command.ts';
import { processSchemas, type ProcessName } from '../../deploy/processes.ts';
import { codes } from '../../proto/faults/codes.ts';
import { settingsOf, variableOf } from '../../proto/process/settings.ts';
import { hole, type SaidText, saidTexts, sourceFiles } from './said-texts.ts';

/**
 * What any text in the source tells an operator to type is there to be typed: commands, flags, settings, variables. Hints of faults, refusals
 * of settings, remedies of the doctor and lines of the log are all texts.
 */
const root = join(import.meta.dirname, '../..');
const rooms = ['proto', 'data-plane', 'bridge', 'shipper', 'control-plane', 'deploy'] as const;
const files = sourceFiles(root, rooms);
const texts = files.flatMap(saidTexts);
const codesPath = 'proto/faults/codes.ts';
const codeLines = files.find(({ path }) => path === codesPath)?.text.split('\n') ?? [];
const settings = new Map<string, readonly string[]>(
  Object.entries(processSchemas).map(([name, schema]) => [
    name,
    settingsOf(schema).flatMap(({ path, isFormer }) => (isFormer ? [] : [path])),
  ]),
);
const all = [...settings.values()].flat();
const sections = new Set(all.map((path) => path.split('.')[0]));

/** Processes that say a text; undefined where it may be any of them. The hint of a fault is said by whoever raises it. */
function speakersOf({ path, line }: Pick<SaidText, 'path' | 'line'>): readonly ProcessName[] | undefined {
  if (path !== codesPath) return speakersIn(path);
  const code = codeLines
    .slice(0, line)
    .flatMap((each) => /^ {2}'([a-z_.]+)': \{/.exec(each)?.[1] ?? [])
    .at(-1);
  const raised = files.filter((file) => file.path !== codesPath && file.text.includes(`'${code}'`));
  const speakers = raised.flatMap((file) => speakersIn(file.path) ?? []);
  return speakers.length === 0 ? undefined : [...new Set(speakers)];
}

function speakersIn(path: string): readonly ProcessName[] | undefined {
  const rows: readonly (readonly [prefix: string, speakers: readonly ProcessName[]])[] = [
    ['data-plane/', ['gateway']],
    ['shipper/', ['shipper']],
    ['bridge/', ['bridge']],
    // The bridge opens database and bucket as the control plane does.
    ['control-plane/storage/', ['control-plane', 'bridge']],
    ['control-plane/', ['control-plane']],
    ['deploy/doctor/platform', ['control-plane']],
    ['deploy/bridge-parts', ['bridge']],
  ];
  return rows.find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** Whether a flag that follows no command is one of whoever says the text: of a command of that file, or of every process that it may be. */
function isOwnFlag(flag: string, said: SaidText, known: FlagsByCommand): boolean {
  const has = (name: string): boolean => known.get(name)?.has(flag) === true;
  const ofFile = /^deploy\/(commands\/|client\/|up-settings)/.test(said.path);
  if (!ofFile) return (speakersOf(said) ?? ['up', ...settings.keys()]).every(has);
  const source = files.find(({ path }) => path === said.path)?.text ?? '';
  const names = [...source.matchAll(/\bname: '([a-z-]+)'/g)].flatMap(([, name]) => name ?? []);
  return [...names, ...(commandsOfTexts.get(said.path) ?? [])].some(has);
}

/** Files that speak for a command of another file: one below it, or a part of it. */
const commandsOfTexts: ReadonlyMap<string, readonly string[]> = new Map([
  ['deploy/commands/bridge-address.ts', ['token']],
  ['deploy/commands/roll-data.ts', ['keys']],
  ['deploy/commands/roll-kek.ts', ['keys']],
  ['deploy/up-settings.ts', ['up']],
  ['deploy/client/flags.ts', ['get']],
  ['deploy/client/secret-input.ts', ['login']],
]);

type FlagsByCommand = ReadonlyMap<string, ReadonlySet<string>>;

const isKnown = (path: string, of: readonly string[]): boolean =>
  of.some((known) => known === path || known.startsWith(`${path}.`));

/** The process of the last command that a text names. */
function commanded(text: string): readonly ProcessName[] | undefined {
  const last = [...text.matchAll(aCommand)].at(-1);
  const name = /^[a-z-]+/.exec(text.slice((last?.index ?? text.length) + 'isthmus '.length))?.[0] ?? '';
  if (name === 'enroll') return ['gateway'];
  return name in processSchemas ? [name as ProcessName] : undefined;
}

/** Why what a text calls a setting is none; undefined when it is one of whoever says it. */
function wrongSetting(name: string, said: Pick<SaidText, 'path' | 'line'>, before = ''): string | undefined {
  const [first = '', ...rest] = name.split('.');
  const ofProcess = settings.get(first);
  if (ofProcess !== undefined && isKnown(rest.join('.'), ofProcess)) return undefined;
  const speakers = commanded(before) ?? speakersOf(said);
  const owners = speakers ?? [...settings.keys()].filter((each) => isKnown(first, settings.get(each) ?? []));
  const without = owners.filter((owner) => !isKnown(name, settings.get(owner) ?? []));
  return without.length === 0 ? undefined : `${name} is no setting of ${without.join(', ')}`;
}

const aCommand = /(?<![\w/.])isthmus (?=[a-z])/g;
// What stands behind `#` is a variable of an expression.
const settingName = new RegExp(
  `(?<![\\w./#${hole}$'"-])[a-z][A-Za-z0-9]*(?:\\.[a-z][A-Za-z0-9]*)+(?![\\w${hole}-])`,
  'g',
);
/** Scripts have objects of their own. */
const scripts = ['proto/policies/scripts/', 'proto/definition/groovy/'];
/** Files, columns of a query and fields of what stands in a template are no settings. */
const otherDotted = /\.(pem|key|ya?ml|json|ts|txt|isthmus|md|backup|rowid|endpoint)$/;

test('a text names no setting that its process does not have', () => {
  const named = texts.flatMap((said) =>
    [...said.text.matchAll(settingName)]
      .map(({ 0: name, index }) => ({ said, name, before: said.text.slice(0, index) }))
      .filter(() => !scripts.some((path) => said.path.startsWith(path)))
      .filter(({ name }) => sections.has(name.split('.')[0] ?? ''))
      .filter(({ name }) => !otherDotted.test(name) && !(name in codes)),
  );
  assert.ok(named.length > 40, 'texts were found');
  const wrong = named.flatMap(({ said, name, before }) => told(said, wrongSetting(name, said, before)));
  assert.deepEqual(wrong, []);
});

test('a text names no command, and no flag, that is not there', async () => {
  const known = await flagsByCommand();
  const wrong: string[] = [];
  let flags = 0;
  for (const said of texts) {
    const [before = '', ...parts] = said.text.split(aCommand);
    // A call that is written down for a shell has flags of its own.
    for (const flag of before.startsWith('curl ') ? [] : flagsIn(before)) {
      flags += 1;
      if (!isOwnFlag(flag, said, known)) wrong.push(...told(said, `${flag} is no flag of whoever says it`));
    }
    for (const part of parts) {
      const [name = ''] = /^[a-z-]+/.exec(part) ?? [];
      const of = known.get(name);
      if (of === undefined) wrong.push(...told(said, `isthmus ${name} is no command`));
      for (const flag of flagsIn(part)) {
        flags += 1;
        if (of !== undefined && !of.has(flag)) wrong.push(...told(said, `${flag} is no flag of ${name}`));
      }
    }
  }
  assert.ok(flags > 100, 'flags were found');
  assert.deepEqual(wrong, []);
});

test('a text names no variable that nobody reads', () => {
  const variables = new Set(
    [...settings].flatMap(([name, paths]) => paths.map((path) => variableOf(name, path))),
  );
  const own = [
    'ISTHMUS_DATA_DIR',
    'ISTHMUS_ADMIN_PASSWORD',
    'ISTHMUS_ENROLMENT_TOKEN',
    'ISTHMUS_NEW_PASSWORD',
    'ISTHMUS_TOKEN',
    'ISTHMUS_URL',
    'ISTHMUS_PASSWORD',
  ];
  const wrong = texts.flatMap((said) =>
    [...said.text.matchAll(/\bISTHMUS_[A-Z0-9_]+\b/g)].flatMap(([name]) =>
      told(said, variables.has(name) || own.includes(name) ? undefined : `nobody reads ${name}`),
    ),
  );
  assert.deepEqual(wrong, []);
});

test('what is planted is found', async () => {
  const wrong = (name: string, path: string, before = '') => wrongSetting(name, { path, line: 1 }, before);
  assert.equal(
    wrong('bridge.port', 'proto/trust/border.ts'),
    'bridge.port is no setting of gateway, shipper',
  );
  assert.equal(
    wrong('secrets.keys', 'control-plane/publish/keys.ts'),
    'secrets.keys is no setting of control-plane',
  );
  assert.equal(wrong('listen.port', 'shipper/start.ts'), 'listen.port is no setting of shipper');
  assert.equal(wrong('listen.port', 'shipper/start.ts', 'isthmus gateway --set '), undefined);
  assert.equal(wrong('control-plane.listen.host', 'deploy/up-settings.ts'), undefined);
  assert.equal(wrong('listen.tls', 'data-plane/serving.ts'), undefined, 'a group of settings');
  const known = await flagsByCommand();
  const flag = (name: string, path: string) => isOwnFlag(name, { path, line: 1, text: '' }, known);
  assert.equal(flag('--port-offset', 'data-plane/start.ts'), false);
  assert.equal(flag('--port-offset', 'deploy/up-settings.ts'), true);
  assert.equal(flag('--data-dir', 'proto/faults/x.ts'), true);
});

function flagsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
}

function told({ path, line, text }: SaidText, wrong: string | undefined): readonly string[] {
  return wrong === undefined ? [] : [`${path}:${line}: ${wrong}: ${text}`];
}

/** By command: its flags and those of what stands below it. */
async function flagsByCommand(): Promise<FlagsByCommand> {
  const flagsOf = (command: Command): readonly string[] => [
    ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    ...command.commands.flatMap(flagsOf),
  ];
  const made = [...commands].map(
    async ([name, load]) => [name, new Set([...flagsOf(await load(() => {})), '--help'])] as const,
  );
  return new Map(await Promise.all(made));
}
