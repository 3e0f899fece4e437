import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';

import { Fault } from '../../proto/faults/fault.ts';
import { type DebugChange, debugReportSchema, debugStepSchema } from '../../proto/model/records/debug-run.ts';
import { createCommand } from '../command.ts';
import { lengthOf, plainLine, print, tableOf } from '../terminal.ts';
import { readOneBody } from './documents.ts';
import { type ClientFlags, outputOf, withContext, withObjects, withOutput } from './flags.ts';
import { kindOf } from './kinds.ts';
import { type Fields, isFields, type Objects } from './objects.ts';
import { shortOf, showOne } from './show.ts';

type Flags = ClientFlags & {
  readonly request?: string;
  readonly method?: string;
  readonly header?: readonly HeaderLine[];
  readonly body?: string;
  readonly plan?: string;
};

type HeaderLine = readonly [name: string, value: string];

const toldStepSchema = z.object({
  ...debugStepSchema.shape,
  name: z.string().optional(),
  flow: z.string().optional(),
  condition: z.string().optional(),
});
type ToldStep = z.infer<typeof toldStepSchema>;

const runSchema = z.object({
  ...debugReportSchema.shape,
  steps: z.array(toldStepSchema),
  plan: z.object({ id: z.string(), name: z.string() }),
});
type Run = z.infer<typeof runSchema>;

const eventSchema = z.object({ run: runSchema.optional(), error: z.string().optional() });

/** `isthmus debug <api> [path]`: one request through the draft, step by step. */
export function debugCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'debug',
    summary: 'Runs one request through the draft of an API, which no gateway learns of, and tells each step.',
    examples: [
      "isthmus debug orders '/pets?limit=2'",
      `isthmus debug orders /pets --method POST --header 'content-type: application/json' --body '{ "name": "Rex" }' --plan gold`,
      'isthmus debug orders --request request.yaml --json    # method, path, headers and body, as the management API has them',
    ],
  });
  return withOutput(withContext(command))
    .argument('<api>', 'id or name')
    .argument('[path]', 'below the context path of the API, with its query; default: /')
    .option('-X, --method <method>', 'default: GET')
    .option('-H, --header <name: value>', 'of the request; repeatable', collectHeader)
    .option('--body <text>', 'of the request')
    .option('--plan <name>', 'whose flows it passes, as a subscriber would; default: the first without a key')
    .option(
      '--request <file>',
      'a request in YAML or JSON, or - for standard input; the options above count more',
    )
    .action((api: string, path: string | undefined, flags: Flags) =>
      withObjects(flags, async (objects) => {
        const apis = await objects.placeOf(kindOf('api'), {});
        const { id } = await objects.find(apis, api);
        const event = await objects.debug(apis, id, await wishOf(objects, { id, path, flags }));
        const { run, error } = eventSchema.parse(event);
        if (outputOf(flags) !== 'table') showOne(event, outputOf(flags));
        else if (run !== undefined) print(runOf(run));
        if (run !== undefined) return;
        if (outputOf(flags) === 'table')
          throw new Fault('client.refused', { detail: `The request was not run: ${error ?? ''}` });
        onExit(1);
      }),
    );
}

/** The body of the operation: what the file says, and what the options say over it. */
async function wishOf(
  objects: Objects,
  { id, path, flags }: { readonly id: string; readonly path: string | undefined; readonly flags: Flags },
): Promise<Fields> {
  const { request, method, header = [], body } = flags;
  const read = request === undefined ? {} : await readOneBody(request);
  if (!isFields(read))
    throw new Fault('config.unreadable', {
      detail: `${request ?? ''} is no request.`,
      hint: 'Its fields are method, path, headers (each a list of values), body and plan; none is needed.',
    });
  const plan = flags.plan === undefined ? undefined : await planOf(objects, id, flags.plan);
  return {
    ...read,
    ...(path !== undefined && { path }),
    ...(method !== undefined && { method }),
    ...(header.length > 0 && { headers: { ...headersIn(read), ...byName(header) } }),
    ...(body !== undefined && { body }),
    ...(plan !== undefined && { plan }),
  };
}

async function planOf(objects: Objects, api: string, word: string): Promise<string> {
  return (await objects.find(await objects.placeOf(kindOf('plan'), { api }), word)).id;
}

const headersIn = ({ headers }: Fields): Fields => (isFields(headers) ? headers : {});

const byName = (lines: readonly HeaderLine[]): Fields =>
  Object.fromEntries(
    Map.groupBy(lines, ([name]) => name)
      .entries()
      .map(([name, given]) => [name, given.map(([, value]) => value)]),
  );

function collectHeader(text: string, before: readonly HeaderLine[] = []): readonly HeaderLine[] {
  const at = text.indexOf(':');
  if (at < 1) throw new InvalidArgumentError('It must be a name and a value, e.g. "Accept: text/plain".');
  return [...before, [text.slice(0, at).trim(), text.slice(at + 1).trim()]];
}

/** A run as people read it: its steps, what each changed below it, and what backend and caller got. */
function runOf({ steps, plan, totalUs, ...run }: Run): string {
  const { backendRequest: asked, backendResponse: answered, response } = run;
  const key = run.errorKey === undefined ? '' : ` ${run.errorKey}`;
  const flows = plan.name === '' ? '' : `, with the flows of the plan ${plan.name}`;
  const head = `${response === undefined ? 'no answer' : response.statusCode}${key} in ${lengthOf(totalUs)}${flows}`;
  const message = run.errorMessage === undefined ? [] : [run.errorMessage];
  return [
    ...[head, ...message, ...run.notes.map((note) => `note: ${note}`)].map(plainLine),
    '',
    ...stepsOf(steps),
    ...(asked === undefined ? [] : messageOf(`the backend was asked: ${asked.method} ${asked.uri}`, asked)),
    ...(answered === undefined ? [] : messageOf(`the backend answered: ${answered.statusCode}`, answered)),
    ...(response === undefined ? [] : messageOf(`the caller gets: ${response.statusCode}`, response)),
  ].join('\n');
}

function stepsOf(steps: readonly ToldStep[]): readonly string[] {
  const rows = steps.map((step) => [
    lengthOf(step.fromUs),
    lengthOf(step.tookUs),
    step.phase,
    step.step,
    step.decision,
    [step.said, conditionOf(step), placeOf(step)].filter((each) => each !== undefined).join('  '),
  ]);
  const [heading = '', ...lines] = tableOf(
    [['from', 'took', 'phase', 'step', 'decided', 'said'], ...rows],
    2,
  ).split('\n');
  const indent = ' '.repeat(heading.indexOf('step'));
  const changed = (step: ToldStep | undefined): readonly string[] =>
    (step?.changes ?? []).map((change) => `${indent}${plainLine(changeOf(change))}`);
  return [heading, ...lines.flatMap((line, index) => [line, ...changed(steps[index])])];
}

const conditionOf = ({ condition }: ToldStep): string | undefined =>
  condition === undefined ? undefined : `if ${condition}`;

const placeOf = ({ place, name, flow }: ToldStep): string | undefined => {
  const called = [flow, name].filter((each) => each !== undefined).join(', ');
  return place === undefined || called === '' ? place : `${place} (${called})`;
};

function changeOf({ part, name, before, after }: DebugChange): string {
  const what = name === undefined ? part : `${part} ${name}`;
  const was = before === undefined ? '' : `, was ${shortOf(before)}`;
  return after === undefined ? `${what} is gone${was}` : `${what} is ${shortOf(after)}${was}`;
}

type Message = Pick<NonNullable<Run['response']>, 'headers' | 'body' | 'bodyBytes'>;

/** Lines of a body stay lines. */
function messageOf(title: string, { headers, body, bodyBytes }: Message): readonly string[] {
  const lines = body === undefined || body === '' ? [] : ['', ...body.split(/\r?\n/)];
  const isCut = body !== undefined && bodyBytes !== undefined && bodyBytes > Buffer.byteLength(body);
  const cut = isCut ? [`(${bodyBytes} bytes in all)`] : [];
  const shown = [...headers.map(({ name, value }) => `${name}: ${value}`), ...lines, ...cut];
  return ['', plainLine(title), ...shown.map((line) => `  ${plainLine(line)}`.trimEnd())];
}
