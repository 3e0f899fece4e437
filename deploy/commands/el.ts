import type { Command } from 'commander';
import { language } from '../../proto/expression/language.ts';
import { compileText } from '../../proto/expression/template.ts';
import { shownValue } from '../../proto/expression/values.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { createCommand } from '../command.ts';
import { requestSchema, scopeOf } from '../expression-request.ts';
import { print } from '../terminal.ts';

/** What an expression comes to. */
type Came =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed' | 'refused'; readonly why: string };

/** What the help shows; its keys are all optional. */
const exampleRequest = `request:
  method: POST
  path: /shop/orders/7
  contextPath: /shop/
  query: page=3
  headers: { X-Tenant: acme, X-Tag: [red, blue] }
  body: '{"total": 12}'
attributes: { plan: gold }
properties: { env: prod }
dictionaries: { countries: { fr: France } }`;

/** `isthmus el`: evaluates one expression. */
export function elCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'el',
    summary: 'Evaluates an expression of a definition on a request that a file describes.',
    examples: [
      `isthmus el '{(7 / 2)}'`,
      `isthmus el "{#request.headers['X-Tenant'][0]}" --request request.yaml`,
      `isthmus el "#request.method == 'GET'" --json       # braces may be left out`,
    ],
  });
  return command
    .addHelpText('after', `\nA request file:\n${exampleRequest.replaceAll(/^/gm, '  ')}`)
    .argument('<expression>', 'a text with expressions, or one expression without its braces')
    .option(
      '--request <file>',
      'request (method, path, contextPath, query, headers, body), response (status, headers, body), attributes, properties, dictionaries, pathParams, subscription; as JSON or YAML; - for standard input',
    )
    .option('--json', 'as JSON: kind (value, nothing, failed, refused) with value or why')
    .action(async (expression: string, flags: { readonly request?: string; readonly json?: true }) => {
      const came = evaluated(expression, await readRequest(flags.request));
      if (flags.json === true) print(JSON.stringify(came));
      else if (came.kind === 'value')
        print(typeof came.value === 'string' ? came.value : JSON.stringify(came.value));
      else print('why' in came ? `${came.kind}: ${came.why}` : 'nothing');
      onExit(came.kind === 'failed' || came.kind === 'refused' ? 1 : 0);
    });
}

function evaluated(expression: string, request: ReturnType<typeof requestSchema.parse>): Came {
  if (expression.trim() === '')
    return { kind: 'refused', why: 'there is no expression; write one, such as {#request.method}' };
  const compiled = compiledOf(expression);
  if (compiled.kind === 'refused') return { kind: 'refused', why: compiled.message };
  const came = compiled.evaluate(scopeOf(request));
  return came.kind === 'value' ? { kind: 'value', value: shownValue(came.value) } : came;
}

/** A text, or an expression alone, whose places are counted in what was written. */
function compiledOf(expression: string) {
  const compiled = compileText(expression);
  if (compiled.kind !== 'plain') return compiled;
  const alone = language(expression);
  if (alone.kind === 'compiled') return alone;
  const { message, at } = alone;
  const place = at < expression.trimEnd().length ? `at its character ${at + 1}` : 'at its end';
  return { kind: alone.kind, message: `${message} (${place})` };
}

async function readRequest(file: string | undefined) {
  if (file === undefined) return requestSchema.parse({});
  const { readGivenFile } = await import('../../data-plane/local/files.ts');
  const read = await readGivenFile(file);
  const unreadable = (detail: string): Fault =>
    new Fault('config.unreadable', { detail, hint: 'Check the path for a slip, and what the file holds.' });
  if (read === undefined) throw unreadable(`There is no file ${file}.`);
  if (read.problem !== undefined) throw unreadable(`${file} ${read.problem}.`);
  const parsed = requestSchema.safeParse(read.documents[0]);
  if (parsed.success) return parsed.data;
  const details = detailsOf(parsed.error.issues).map(({ path, message }) => `${path} ${message}`.trim());
  throw unreadable(`${file}: ${details.join('; ')}.`);
}
