import type { ExpressionScope, ScopeHeaders } from './scope.ts';
import type { TemplateNeeds } from './template.ts';
import { fail } from './failure.ts';
import { readJson } from './json.ts';
import { decoded } from './work.ts';
import { attributesOf, type Lines, numberValue, type Value } from './values.ts';

/** A member of a root: what it reads, and what of the body that needs. */
export interface Member {
  readonly needs: TemplateNeeds;
  read(scope: ExpressionScope): Value;
}

const head = (read: (scope: ExpressionScope) => Value): Member => ({ needs: 'head', read });
const body = (read: (scope: ExpressionScope) => Value): Member => ({ needs: 'buffered', read });

type Answer = NonNullable<ExpressionScope['response']>;
const answered =
  (read: (response: Answer) => Value) =>
  ({ response }: ExpressionScope): Value =>
    response === undefined ? fail('there is no answer yet') : read(response);

/** What an expression may name behind `#`, with its members. What the reference has beside them is refused by name. */
const roots: ReadonlyMap<string, ReadonlyMap<string, Member>> = new Map([
  [
    'request',
    new Map<string, Member>([
      ['id', head(({ request }) => request.id)],
      ['transactionId', head(({ request }) => request.transactionId)],
      ['method', head(({ request }) => request.method)],
      ['uri', head(({ request: { path, query } }) => (query === undefined ? path : `${path}?${query}`))],
      ['path', head(({ request }) => request.path)],
      ['pathInfo', head(({ request }) => request.pathInfo)],
      ['contextPath', head(({ request }) => `${request.contextPath}/`)],
      // Split at each slash, so that the first is empty.
      ['paths', head(({ request }) => request.path.split('/'))],
      ['pathInfos', head(({ request }) => request.pathInfo.split('/'))],
      ['host', head(({ request }) => request.host)],
      ['scheme', head(({ request }) => request.scheme)],
      ['remoteAddress', head(({ request }) => request.remoteAddress)],
      ['headers', head(({ request }) => new HeaderLines(request.headers))],
      ['params', head(({ request }) => paramsOf(request.query ?? ''))],
      ['timestamp', head(({ startedAtMs }) => BigInt(Math.trunc(startedAtMs)))],
      ['content', body(({ request }) => textOf(request.content))],
      ['jsonContent', body(({ request }) => jsonOf(request.content))],
    ]),
  ],
  [
    'response',
    new Map<string, Member>([
      ['status', head(answered(({ status }) => numberValue(status)))],
      ['headers', head(answered(({ headers }) => new HeaderLines(headers)))],
      ['content', body(answered(({ content }) => textOf(content)))],
      ['jsonContent', body(answered(({ content }) => jsonOf(content)))],
    ]),
  ],
  ['context', new Map<string, Member>([['attributes', head(({ attributes }) => attributesOf(attributes))]])],
]);

/** Members of a root; undefined for one that this version has not. */
export function rootOf(name: string): ReadonlyMap<string, Member> | undefined {
  return roots.get(name);
}

/** All roots, for the nearest. */
export function rootNames(): readonly string[] {
  return [...roots.keys()];
}

/** Asked for in most conditions: made without a closure. */
class HeaderLines implements Lines {
  readonly kind = 'lines';
  readonly #headers: ScopeHeaders;

  constructor(headers: ScopeHeaders) {
    this.#headers = headers;
  }

  all(name: string): readonly string[] | undefined {
    return listOrNone(this.#headers.getAll(name.toLowerCase()));
  }

  names(): readonly string[] {
    const names = new Map<string, string>();
    this.#headers.forEach(
      (name) => void names.set(name.toLowerCase(), names.get(name.toLowerCase()) ?? name),
    );
    return [...names.values()];
  }
}

function paramsOf(query: string): Lines {
  const params = new URLSearchParams(query);
  return {
    kind: 'lines',
    all: (name) => listOrNone(params.getAll(name)),
    names: () => [...new Set(params.keys())],
  };
}

function listOrNone(lines: readonly string[]): readonly string[] | undefined {
  return lines.length === 0 ? undefined : lines;
}

/** Null where no step has read the body. */
function textOf(content: Uint8Array | undefined): string | null {
  return content === undefined ? null : decoded(content);
}

/** A JSON object; whatever else is there, an empty one, as in the reference. */
function jsonOf(content: Uint8Array | undefined): Value {
  const value = readJson(textOf(content) ?? '');
  return value instanceof Map ? value : new Map();
}
