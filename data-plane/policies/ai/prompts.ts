import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { JsonScanner } from '../threats/json-scanner.ts';
import { textOfBody } from '../transformation/rewrite.ts';

/** A text of a prompt and who says it; `undefined` where the body does not say. */
export interface Prompt {
  readonly role: string | undefined;
  readonly text: string;
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
  for (const place of places) {
    const said = fieldOf(body, place);
    isKnown ||= said !== undefined;
    const role = place.startsWith('system') || place === 'instructions' ? 'system' : 'user';
    if (typeof said === 'string') found.push({ role, text: said });
    else if (Array.isArray(said)) for (const each of said) collect(each, roleOf(each) ?? role, found);
    else if (said !== undefined) collect(said, roleOf(said) ?? role, found);
  }
  if (!isKnown) collect(body, undefined, found);
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
function collect(value: unknown, role: string | undefined, into: Prompt[]): void {
  if (typeof value === 'string') return void into.push({ role, text: value });
  if (Array.isArray(value)) {
    for (const each of value) collect(each, role, into);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  // A source of Anthropic's: bytes in base64, or a text.
  const isBytes = fieldOf(value, 'type') === 'base64';
  for (const [name, each] of Object.entries(value))
    if (!passedOver.has(name) && !(isBytes && name === 'data')) collect(each, role, into);
}
