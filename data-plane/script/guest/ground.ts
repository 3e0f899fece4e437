import type { ScriptFacts } from '../facts.ts';
import { createLines } from './lines.ts';
import { type Change, listOf, mapOf, type Store } from './maps.ts';

/** The context's attributes, with or without the prefix of the reference. */
export function createAttributes(facts: ScriptFacts, changes: Change[]) {
  const prefix = 'gravitee.attribute.';
  const bare = (name: unknown): string =>
    String(name).startsWith(prefix) ? String(name).slice(prefix.length) : String(name);
  const store: Store = new Map(facts.attributes);
  const set = (name: unknown, value: unknown): void => {
    if (value === null || value === undefined) {
      store.delete(bare(name));
      changes.push(['remove', bare(name)]);
      return;
    }
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined)
      throw new TypeError(`an attribute is text, number, boolean, list or object: ${String(name)}`);
    const kept: unknown = JSON.parse(text);
    store.set(bare(name), kept);
    changes.push(['set', bare(name), kept]);
  };
  return { store, set, get: (name: unknown): unknown => store.get(bare(name)) ?? null, bare };
}

/** Dictionaries by name. The gateway sends those that the script names, so that the others cost nothing. */
export function dictionariesOf(facts: ScriptFacts, source: string): unknown {
  const sent = new Map(
    facts.dictionaries.map(([name, entries]) => [name, mapOf(new Map(entries), new Map())]),
  );
  const find = (name: string): unknown => {
    if (!sent.has(name) && !source.includes(name))
      throw new Error(
        `the script does not hold the name of the dictionary "${name}" as it is written; only such dictionaries are there`,
      );
    return sent.get(name);
  };
  return new Proxy(Object.create(null) as object, {
    get: (_, name) => (typeof name === 'symbol' ? undefined : name === 'get' ? find : find(name)),
    has: (_, name) => typeof name === 'string' && sent.has(name),
    ownKeys: () => [...sent.keys()],
    getOwnPropertyDescriptor: (_, name) =>
      typeof name === 'string' && sent.has(name)
        ? { value: sent.get(name), enumerable: true, configurable: true }
        : undefined,
    set: () => false,
  });
}

/** What both dialects stand on. */
export function createGround(facts: ScriptFacts, source: string) {
  const requestHeaders: Change[] = [];
  const responseHeaders: Change[] = [];
  const parameterChanges: Change[] = [];
  const attributeChanges: Change[] = [];
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      return text;
    }
  };
  const pairs = facts.request.query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair): [string, string] => {
      const at = pair.indexOf('=');
      return at < 0 ? [decode(pair), ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
  const parameters = createLines(pairs, { changes: parameterChanges, ignoresCase: false });
  const said: { content: unknown; status: unknown; reason: unknown } = {
    content: null,
    status: null,
    reason: null,
  };
  return {
    said,
    requestHeaders,
    responseHeaders,
    attributeChanges,
    parameters,
    attributes: createAttributes(facts, attributeChanges),
    ofRequest: createLines(facts.request.headers, { changes: requestHeaders, ignoresCase: true }),
    ofResponse: createLines(facts.response?.headers ?? [], { changes: responseHeaders, ignoresCase: true }),
    pathParameters: new Map<string, unknown>(
      facts.request.pathParameters.map(([name, values]) => [name, listOf(values)]),
    ),
    properties: mapOf(new Map(facts.properties), new Map()),
    dictionaries: dictionariesOf(facts, source),
    query: (): string | null =>
      parameterChanges.length === 0
        ? null
        : parameters
            .text()
            .map((pair) => pair.map(encodeURIComponent).join('='))
            .join('&'),
    replaceContent(phase: string, text: unknown): void {
      if (phase !== facts.phase)
        throw new Error(`the body of the ${phase} cannot be replaced in the ${facts.phase} phase`);
      if (!facts.overrides)
        throw new Error('the body stays as it is: readContent and overrideContent have to be on');
      said.content = String(text);
    },
    contentOf: (phase: string): string | null => (phase === facts.phase ? facts.content : null),
  };
}

/** See {@link createGround}. */
export type Ground = ReturnType<typeof createGround>;
