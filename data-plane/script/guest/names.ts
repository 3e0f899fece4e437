import type { ScriptFacts } from '../facts.ts';
import type { Ground } from './ground.ts';
import { linesObject } from './lines.ts';
import { mapOf } from './maps.ts';

type Names = readonly (readonly [string, unknown])[];

/** Whoever reads or changes an answer before there is one is told so. */
export function noAnswer(): unknown {
  const tell = (): never => {
    throw new TypeError('there is no response in the request phase');
  };
  return new Proxy(Object.create(null) as object, { get: tell, set: tell });
}

/** What `js` finds: everything is a method. */
export function jsNames(facts: ScriptFacts, ground: Ground): Names {
  const { said, attributes, parameters, pathParameters } = ground;
  const constant = (value: unknown) => () => value;
  const content = (phase: string) => (text?: unknown) =>
    text === undefined ? ground.contentOf(phase) : ground.replaceContent(phase, text);
  const asBase64 = (phase: string) => () => (phase === facts.phase ? facts.contentAsBase64 : null);
  const fixed = new Map<string, unknown>();
  for (const name of parameters.names()) fixed.set(name, parameters.all(name));
  const { headers: _headers, query: _query, pathParameters: _path, ...plain } = facts.request;
  const request = new Map<string, unknown>(
    Object.entries(plain).map(([name, value]) => [name, constant(value)]),
  );
  const headers = linesObject(ground.ofRequest, false);
  request.set('originalHost', constant(facts.request.host));
  request.set('headers', constant(headers));
  request.set('header', (name: unknown) => ground.ofRequest.all(name)[0] ?? null);
  request.set('parameter', (name: unknown) => parameters.all(name)[0] ?? null);
  request.set('parameters', constant(mapOf(fixed, new Map())));
  request.set('pathParameter', firstOf(pathParameters));
  request.set('pathParameters', constant(mapOf(pathParameters, new Map())));
  request.set('content', content('request'));
  request.set('contentAsBase64', asBase64('request'));
  const answered = facts.response;
  const responseHeaders = linesObject(ground.ofResponse, false);
  const response = answered && {
    status: (code?: unknown) =>
      code === undefined ? (said.status ?? answered.status) : void (said.status = code),
    reason: (text?: unknown) =>
      text === undefined ? (said.reason ?? answered.reason) : void (said.reason = text),
    headers: constant(responseHeaders),
    header: (name: unknown) => ground.ofResponse.all(name)[0] ?? null,
    trailers(): never {
      throw new TypeError('trailers are not there: they come after the answer has passed');
    },
    content: content('response'),
    contentAsBase64: asBase64('response'),
  };
  const { get, set, store } = attributes;
  const remove = (name: unknown): void => set(name, null);
  const context = {
    get,
    set,
    remove,
    getAttribute: get,
    setAttribute: set,
    removeAttribute: remove,
    getAttributeNames: () => [...store.keys()],
    getAttributes: () => mapOf(new Map(store), new Map()),
    properties: constant(ground.properties),
    dictionaries: constant(ground.dictionaries),
  };
  return [
    ['request', Object.freeze(Object.fromEntries(request))],
    ['response', response === null ? noAnswer() : Object.freeze(response)],
    ['context', Object.freeze(context)],
  ];
}

/** What `javascript` finds: properties, and Java's maps. */
export function javascriptNames(facts: ScriptFacts, ground: Ground): Names {
  const { said, attributes } = ground;
  const { headers: _headers, query: _query, pathParameters: _path, ...plain } = facts.request;
  const request = {
    ...plain,
    originalHost: facts.request.host,
    headers: linesObject(ground.ofRequest, true),
    parameters: linesObject(ground.parameters, true),
    pathParameters: mapOf(ground.pathParameters, new Map([['getFirst', firstOf(ground.pathParameters)]])),
    content: ground.contentOf('request'),
  };
  const answered = facts.response;
  const response = answered && {
    get status(): unknown {
      return said.status ?? answered.status;
    },
    set status(code: unknown) {
      said.status = code;
    },
    get reason(): unknown {
      return said.reason ?? answered.reason;
    },
    set reason(text: unknown) {
      said.reason = text;
    },
    headers: linesObject(ground.ofResponse, true),
    content: ground.contentOf('response'),
  };
  const methods = new Map<string, unknown>([
    ['get', attributes.get],
    ['set', attributes.set],
    ['put', attributes.set],
    ['remove', (name: unknown) => attributes.set(name, null)],
    ['containsKey', (name: unknown) => attributes.store.has(attributes.bare(name))],
  ]);
  const map = mapOf(attributes.store, methods, attributes.set);
  const context = {
    attributes: map,
    attributeNames: [...attributes.store.keys()],
    attributeAsList: [...attributes.store.values()],
    getAttribute: attributes.get,
    setAttribute: attributes.set,
    removeAttribute: (name: unknown) => attributes.set(name, null),
    properties: () => ground.properties,
    dictionaries: () => ground.dictionaries,
  };
  return [
    ['request', request],
    ['response', response ?? noAnswer()],
    ['context', context],
    ['properties', ground.properties],
    ['dictionaries', ground.dictionaries],
  ];
}

/** The first of several values. */
export function firstOf(lists: ReadonlyMap<string, unknown>): (name: string) => unknown {
  return (name) => (lists.get(name) as readonly unknown[] | undefined)?.[0] ?? null;
}
