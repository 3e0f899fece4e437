import { stringify } from 'yaml';

import { placeOf, type PolicySchema } from '../policy-schema.ts';
import { policyForm } from './described-form.ts';
import {
  definitionOf,
  type ExampleAnswer,
  type ExampleCall,
  type ExampleReceived,
  methodOf,
  type PolicyExample,
} from './example.ts';
import { cell, describedTable, formRows, type Reference } from './fields.ts';

/** The page of a policy as Markdown: what it is for, its fields and refusals, and an example that a test runs. */
export function policyPage(policy: PolicySchema, reference: Reference = {}): string {
  const { id, aliases = [], title, phases, summary, docs, errors } = policy;
  const table = describedTable(formRows(policyForm(policy), reference));
  const refusals = Object.entries(errors).map(
    ([key, { status, answerStatus, message }]) =>
      `| \`${key}\` | ${status}${answerStatus === undefined ? '' : `, of an answer ${answerStatus}`} | ${cell(message)} |\n`,
  );
  return [
    `# ${title}\n`,
    `\`${id}\`${aliases.map((alias) => `, also named \`${alias}\``).join('')} · ${placeOf(phases)}\n`,
    `${summary}\n`,
    `${docs}\n`,
    '## Configuration\n',
    table === '' ? 'It has none.\n' : table,
    ...(refusals.length === 0
      ? []
      : ['## Refusals\n', `| key | status | message |\n|---|---|---|\n${refusals.join('')}`]),
    ...(policy.example === undefined ? [] : exampleOf(policy, policy.example())),
  ].join('\n');
}

function exampleOf(policy: PolicySchema, example: PolicyExample): readonly string[] {
  const files: readonly (readonly [name: string, content: object | undefined])[] = [
    [`apis/${policy.id}.yaml`, definitionOf(policy, example)],
    ['apis/isthmus.yaml', example.folder],
    ['gateway.yaml, the settings of the gateway', example.settings],
  ];
  return [
    '## Example\n',
    `${example.about}\n`,
    ...files.flatMap(([name, content]) =>
      content === undefined ? [] : [fence('yaml', `# ${name}\n${yaml(content)}`)],
    ),
    ...Object.entries(example.backend ?? {}).map(([path, answers]) => backendSays(path, answers)),
    ...example.calls.flatMap((call) => callOf(policy.id, call)),
  ];
}

/** Short lists and objects on a line of their own. */
const yaml = (content: object): string =>
  stringify(content, { lineWidth: 0, collectionStyle: 'any', aliasDuplicateObjects: false });

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;

function backendSays(path: string, answers: ExampleAnswer | readonly ExampleAnswer[]): string {
  const all: readonly ExampleAnswer[] = Array.isArray(answers) ? answers : [answers as ExampleAnswer];
  return [
    `The backend answers \`${path}\` with\n`,
    ...all.map((answer) => fence('text', answerText(answer))),
  ].join('\n');
}

function callOf(id: string, { about, request, received, answer }: ExampleCall): readonly string[] {
  return [
    ...(about === undefined ? [] : [`${about}\n`]),
    fence('sh', curl(id, request)),
    fence('text', answerText(answer)),
    ...(received === undefined ? [] : [`${gotten(received)}\n`]),
  ];
}

function curl(id: string, request: ExampleCall['request']): string {
  const { path = '', headers = {}, body } = request;
  const method = methodOf(request);
  const isPlain = method === (body === undefined ? 'GET' : 'POST');
  return [
    'curl -i',
    ...(isPlain ? [] : [method === 'HEAD' ? '--head' : `-X ${method}`]),
    quoted(`http://localhost:8082/${id}${path}`),
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-binary ${quoted(body)}`]),
  ].join(' ');
}

const quoted = (text: string): string =>
  /^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

function answerText({ status = 200, headers = {}, body }: ExampleAnswer): string {
  const written = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return [`HTTP/1.1 ${status}`, ...written, ...(body === undefined ? [] : ['', body])].join('\n');
}

function gotten(received: 'nothing' | ExampleReceived): string {
  if (received === 'nothing') return 'The backend is not asked.';
  const { method, path, headers = {}, body } = received;
  const line = [method, path].filter((word) => word !== undefined).join(' ');
  const told = Object.entries(headers).map(([name, value]) =>
    value === null ? `no \`${name}\`` : `\`${name}: ${value}\``,
  );
  const parts = [
    ...(line === '' ? [] : [`\`${line}\``]),
    ...told,
    ...(body === undefined ? [] : [`the body \`${body}\``]),
  ];
  return `The backend gets ${parts.join(', ')}.`;
}
