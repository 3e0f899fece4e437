import { answeredId, type RecordedCall } from './recorded.ts';

/** How calls are written down, for a shell: by curl, by the command line, or as documents that it applies. */
export type Form = 'curl' | 'cli' | 'yaml';

/** What stands around calls. */
export interface Surroundings {
  /** Of the console, e.g. https://manage.example.com. */
  readonly origin: string;
  /** Writes a value as YAML. */
  readonly yaml: (value: unknown) => string;
}

/** Which document a call is that makes something: what it is called there, and in what it stands. */
const kinds: readonly (readonly [path: RegExp, kind: string])[] = [
  [/^\/management\/v2\/environments\/[^/]+\/apis$/, 'api'],
  [/^\/management\/v2\/environments\/[^/]+\/apis\/([^/]+)\/plans$/, 'plan'],
  [/^\/management\/v2\/environments\/[^/]+\/apis\/([^/]+)\/subscriptions$/, 'subscription'],
  [/^\/management\/v2\/environments\/[^/]+\/apis\/([^/]+)\/pages$/, 'page'],
  [/^\/management\/v2\/environments\/[^/]+\/shared-policy-groups$/, 'shared-policy-group'],
  [/^\/management\/organizations\/[^/]+\/environments\/[^/]+\/applications$/, 'application'],
  [/^\/management\/organizations\/[^/]+\/environments\/[^/]+\/configuration\/dictionaries$/, 'dictionary'],
  [/^\/management\/organizations\/[^/]+\/environments\/[^/]+\/configuration\/categories$/, 'category'],
  [/^\/management\/organizations\/[^/]+\/environments\/[^/]+\/configuration\/groups$/, 'group'],
  [/^\/management\/v2\/organizations\/[^/]+\/fleets$/, 'fleet'],
];

/** The forms in which calls can be written: a body that is no JSON goes by curl alone, and documents make something. */
export function formsOf(calls: readonly RecordedCall[]): readonly Form[] {
  const isJson = calls.every(({ body, isJson: is }) => body === undefined || is);
  if (!isJson || calls.length === 0) return calls.length === 0 ? [] : ['curl'];
  return calls.every((call) => kindOf(call) !== undefined) ? ['curl', 'cli', 'yaml'] : ['curl', 'cli'];
}

/** The calls as lines that work in a shell where ISTHMUS_TOKEN, and for the command line ISTHMUS_URL, are set or `isthmus login` was. */
export function commandsOf(calls: readonly RecordedCall[], form: Form, around: Surroundings): string {
  return calls
    .map((call, at) => {
      // What a later call names is caught from the answer of this one.
      const isNamed = calls.slice(at + 1).some((later) => textOf(later).includes(answeredId(at + 1)));
      return lineOf(call, { form, around, variable: isNamed ? `ID${at + 1}` : undefined });
    })
    .join('\n');
}

const textOf = ({ path, body = '' }: RecordedCall): string => `${path} ${body}`;

interface Line {
  readonly form: Form;
  readonly around: Surroundings;
  /** Gets the id of what is made. */
  readonly variable: string | undefined;
}

function lineOf(call: RecordedCall, line: Line): string {
  switch (line.form) {
    case 'curl':
      return byCurl(call, line);
    case 'cli':
      return byCall(call, line);
    case 'yaml':
      return byDocument(call, line);
  }
}

function byCurl({ method, path, body, isJson }: RecordedCall, { around, variable }: Line): string {
  const type = isJson ? 'application/json' : 'text/plain';
  const reads = body === undefined ? '' : ` -H 'Content-Type: ${type}' -d @-`;
  const words = `curl -sS --fail-with-body -X ${method} -H "Authorization: Bearer $ISTHMUS_TOKEN"${reads} ${quoted(`${around.origin}${path}`)}`;
  const text = body === undefined ? '' : isJson ? pretty(body) : body;
  // The id of what is made is the first that its answer has.
  const id = ` | grep -o '"id":"[^"]*"' | head -1 | cut -d '"' -f 4`;
  return caught({ words, input: body === undefined ? undefined : text, after: id }, variable);
}

function byCall({ method, path, body }: RecordedCall, { variable }: Line): string {
  const asked = `isthmus call ${method} ${quoted(path.replace(/^\/management/, ''))}`;
  const words = [
    variable === undefined ? asked : asked.replace('isthmus call', 'isthmus call --field id'),
    ...(body === undefined ? [] : ['-f -']),
  ].join(' ');
  return caught({ words, input: body === undefined ? undefined : pretty(body), after: '' }, variable);
}

function byDocument(call: RecordedCall, { around, variable }: Line): string {
  const [kind = '', parent] = kindOf(call) ?? [];
  const body = JSON.parse(call.body ?? '{}') as object;
  const [, environment] = /\/environments\/([^/]+)/.exec(call.path) ?? [];
  const place = environment === undefined ? '' : ` -e ${quoted(decodeURIComponent(environment))}`;
  const of = parent === undefined ? 'isthmus create -f -' : `isthmus create --api ${quoted(parent)} -f -`;
  const words = `${of}${place}${variable === undefined ? '' : ' -o json'}`;
  const id = ` | grep -o '"id": *"[^"]*"' | head -1 | cut -d '"' -f 4`;
  return caught({ words, input: around.yaml({ kind, ...body }).trimEnd(), after: id }, variable);
}

/** What kind of document a call makes, and the API in which it stands. */
function kindOf({ method, path, body }: RecordedCall): readonly [kind: string, parent?: string] | undefined {
  if (method !== 'POST' || body === undefined) return undefined;
  for (const [pattern, kind] of kinds) {
    const match = pattern.exec(path);
    if (match !== null) return match[1] === undefined ? [kind] : [kind, decodeURIComponent(match[1])];
  }
  return undefined;
}

/** A command with what it reads, and the variable that takes what it answers. */
function caught(
  {
    words,
    input,
    after,
  }: { readonly words: string; readonly input: string | undefined; readonly after: string },
  variable: string | undefined,
): string {
  const end = input === undefined ? undefined : wordNotIn(input);
  const reads = input === undefined || end === undefined ? '' : ` <<'${end}'`;
  const text = input === undefined || end === undefined ? '' : `\n${input}\n${end}`;
  if (variable === undefined) return withVariables(`${words}${reads}${text}`, end);
  return withVariables(`${variable}=$(${words}${reads}${after}${text}\n)`, end);
}

/** A word that ends an input of which it is no line. */
function wordNotIn(input: string): string {
  const lines = new Set(input.split('\n'));
  let word = 'EOF';
  while (lines.has(word)) word += '_';
  return word;
}

/** Ids that an earlier call answers become what its variable holds; an input that has one is read with variables, and nothing else in it counts as one. */
function withVariables(text: string, end: string | undefined): string {
  const named = /answered-id-(\d+)/g;
  const [head = '', ...input] = text.split('\n');
  const rest = input.join('\n');
  const shown = head.replaceAll(named, `'"$ID$1"'`);
  if (!/answered-id-\d/.test(rest) || end === undefined) return [shown, ...input].join('\n');
  const open = shown.replace(`<<'${end}'`, `<<${end}`);
  return [open, rest.replaceAll(/[\\$`]/g, String.raw`\$&`).replaceAll(named, '$ID$1')].join('\n');
}

/** As one word of a shell, whatever it holds. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const pretty = (json: string): string => JSON.stringify(JSON.parse(json), undefined, 2);
