import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { JsonScanner } from '../threats/json-scanner.ts';
import { textOfBody } from '../transformation/rewrite.ts';

/** A text of a prompt and who says it; `undefined` where the body does not say. */
export interface Prompt {
  readonly role: string | undefined;
  readonly text: string;
  /** Where it stands in the body; undefined where it is the whole. */
  readonly place: Place | undefined;
}

/** A text in a value of JSON: in an object or a list, by its name or number. */
export interface Place {
  readonly holder: object;
  readonly name: string;
}

/** Puts another text into a place of a value that is one's own. */
export function replaceText({ holder, name }: Place, text: string): void {
  Object.defineProperty(holder, name, { value: text, enumerable: true, configurable: true, writable: true });
}

/** A body as it is read for its prompts. */
export type ReadBody =
  | { readonly kind: 'json'; readonly value: unknown }
  /** No JSON. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Fields of requests in which the published shapes of providers have their prompts. */
const places = [
  'system',
  'systemInstruction',
  'system_instruction',
  'instructions',
  'messages',
  'input',
  'prompt',
  'contents',
] as const;
/** What is no text for a model: names of kinds and speakers, and what is looked at or listened to. */
const passedOver: ReadonlySet<string> = new Set([
  'role',
  'type',
  'image_url',
  'inline_data',
  'inlineData',
  'input_audio',
  'file_data',
]);

/** Kinds and names of what tools are asked and have said, whoever hands it on. */
const ofTools = /^(?:tool_(?:use|result|calls?)|function(?:_call|Call|_response|Response).*|\w+_output)$/;

/**
 * Reads a body that somebody else will read as well: what the two could understand differently is not readable.
 *
 * Two values under one name are such a thing, since one reader takes the first and another the last.
 */
export function readBody(content: Uint8Array, headers: HeaderList): ReadBody {
  const encoding = (headers.get('content-encoding') ?? 'identity').toLowerCase();
  if (encoding !== 'identity') return unreadable(`it is of Content-Encoding ${encoding}`);
  const text = textOfBody(content, headers);
  if (text === undefined) return unreadable('it is no text in its charset');
  if (isNestedDeeper(text)) return unreadable('it is nested too deeply');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'text', text };
  }
  return hasTwins(text) ? unreadable('a name comes twice in one object') : { kind: 'json', value };
}

const unreadable = (why: string): ReadBody => ({ kind: 'unreadable', why });

const unbounded = {
  entriesMax: undefined,
  arrayMax: undefined,
  depthMax: undefined,
  nameMax: undefined,
  valueMax: undefined,
  refusesDuplicates: true,
};

function hasTwins(text: string): boolean {
  const bytes = Buffer.from(text);
  return new JsonScanner(unbounded).read(bytes, 0, bytes.length) !== undefined;
}

/** Every prompt of a body of a known shape, in its order; of another one each of its texts. */
export function promptsOf(body: unknown): readonly Prompt[] {
  const found: Prompt[] = [];
  let isKnown = false;
  for (const name of places) {
    const said = fieldOf(body, name);
    if (said === undefined || typeof body !== 'object' || body === null) continue;
    isKnown = true;
    const role = name.startsWith('system') || name === 'instructions' ? 'system' : 'user';
    if (Array.isArray(said))
      for (const [index, each] of said.entries())
        collect(each, { role: roleOf(each) ?? role, place: { holder: said, name: String(index) } }, found);
    else collect(said, { role: roleOf(said) ?? role, place: { holder: body, name } }, found);
  }
  if (!isKnown) collect(body, { role: undefined, place: undefined }, found);
  return found;
}

/** What a value of JSON has under a name of its own. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function roleOf(value: unknown): string | undefined {
  const role = fieldOf(value, 'role');
  return typeof role === 'string' ? role : undefined;
}

/** All texts below a value, which is nested no deeper than `readBody` allows. */
function collect(value: unknown, at: Pick<Prompt, 'role' | 'place'>, into: Prompt[]): void {
  if (typeof value === 'string') return void into.push({ ...at, text: value });
  if (typeof value !== 'object' || value === null) return;
  const type = fieldOf(value, 'type');
  // A source of Anthropic's: bytes in base64, or a text.
  const isBytes = type === 'base64';
  const role = typeof type === 'string' && ofTools.test(type) ? 'tool' : at.role;
  for (const [name, each] of Object.entries(value)) {
    const isPassedOver = !Array.isArray(value) && (passedOver.has(name) || (isBytes && name === 'data'));
    if (!isPassedOver)
      collect(each, { role: ofTools.test(name) ? 'tool' : role, place: { holder: value, name } }, into);
  }
}
