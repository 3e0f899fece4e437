import { CalledAnswer, type ExpressionScope, type ScopeHeaders } from './scope.ts';
import type { TemplateNeeds } from './template.ts';
import { fail } from './failure.ts';
import { readJson } from './json/json.ts';
import { subjectOf } from './subject.ts';
import { decoded } from './work.ts';
import { xmlContentOf } from './xml/content.ts';
import { attributesOf, type Lines, numberValue, type Value, valueOf } from './values.ts';

/** A member of a root: what it reads, and what of the body that needs. */
export interface Member {
  readonly needs: TemplateNeeds;
  read(scope: ExpressionScope): Value;
}

/** What stands behind `#`. */
export type Root =
  /** Its members are these and no others. */
  | { readonly kind: 'members'; readonly members: ReadonlyMap<string, Member>; readonly place?: string }
  /** A value; whoever writes the definition, or sends the request, says what is in it. */
  | { readonly kind: 'value'; read(scope: ExpressionScope): Value; readonly place?: string }
  | { readonly kind: 'secrets'; readonly place?: undefined };

const head = (read: (scope: ExpressionScope) => Value): Member => ({ needs: 'head', read });
const body = (read: (scope: ExpressionScope) => Value): Member => ({ needs: 'buffered', read });
const members = (of: readonly (readonly [name: string, member: Member])[]): Root => ({
  kind: 'members',
  members: new Map(of),
});
const value = (read: (scope: ExpressionScope) => Value): Root => ({ kind: 'value', read });

type Answer = NonNullable<ExpressionScope['response']>;
const answered =
  (read: (response: Answer) => Value) =>
  ({ response }: ExpressionScope): Value =>
    response === undefined ? fail('there is no answer yet') : read(response);

type Subscription = NonNullable<ExpressionScope['subscription']>;
const subscribed =
  (read: (subscription: Subscription) => Value) =>
  ({ subscription }: ExpressionScope): Value =>
    subscription === undefined ? null : read(subscription);

const variable =
  (name: string) =>
  ({ variables }: ExpressionScope): Value =>
    valueOf(variables?.get(name));
const memberOfVariable = (name: string, member: string): Member =>
  head(({ variables }) => {
    const of = valueOf(variables?.get(name));
    return of instanceof Map ? (of.get(member) ?? null) : null;
  });
/** The members of an answer to a call that a policy has made. */
function calledMembers(name: string): ReadonlyMap<string, Member> {
  const member = (read: (answer: CalledAnswer) => Value): Member =>
    head(({ variables }) => {
      const called = variables?.get(name);
      return called instanceof CalledAnswer ? read(called) : fail('nothing was called yet');
    });
  return new Map([
    ['status', member(({ status }) => numberValue(status))],
    ['headers', member(({ headers }) => new HeaderLines(headers))],
    ['content', member(({ content }) => textOf(content))],
    ['jsonContent', member(({ content }) => jsonOf(content))],
    ['xmlContent', member(({ content }) => xmlContentOf(textOf(content) ?? ''))],
  ]);
}
/** Of the template that answers an error. */
const template = 'response templates';
const rules = 'the rules of dynamic-routing';
const assertions = 'assertions of health checks';
const users = 'auth-provider-http-resource';
const signatures = 'the secret of http-signature';
const cached = 'the responseCondition of cache';
const mappings = 'mappings of identity providers';
/** Of policies that ask a model. */
const prompts = 'what a policy sends to a model';
const callouts = 'policy-http-callout, in what comes of its answer';

/** What an expression may name behind `#`, with its members. What the reference has beside them is refused by name. */
const roots: ReadonlyMap<string, Root> = new Map<string, Root>([
  [
    'request',
    members([
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
      ['pathParams', head(({ pathParams }) => new NamedLines(pathParams))],
      // What stands in the path is handed over as it was sent, so that both are one.
      ['pathParamsRaw', head(({ pathParams }) => new NamedLines(pathParams))],
      ['host', head(({ request }) => request.host)],
      ['scheme', head(({ request }) => request.scheme)],
      ['version', head(({ connection }) => versions[connection.httpVersion])],
      ['remoteAddress', head(({ request }) => request.remoteAddress)],
      ['localAddress', head(({ connection }) => connection.localAddress)],
      ['headers', head(({ request }) => new HeaderLines(request.headers))],
      ['params', head(({ request }) => paramsOf(request.query ?? ''))],
      ['timestamp', head(({ startedAtMs }) => BigInt(Math.trunc(startedAtMs)))],
      ['ssl', head(sslOf)],
      ['content', body(({ request }) => textOf(request.content))],
      ['jsonContent', body(({ request }) => jsonOf(request.content))],
      ['xmlContent', body(({ request }) => xmlContentOf(textOf(request.content) ?? ''))],
    ]),
  ],
  [
    'response',
    members([
      ['status', head(answered(({ status }) => numberValue(status)))],
      ['headers', head(answered(({ headers }) => new HeaderLines(headers)))],
      ['content', body(answered(({ content }) => textOf(content)))],
      ['jsonContent', body(answered(({ content }) => jsonOf(content)))],
      ['xmlContent', body(answered(({ content }) => xmlContentOf(textOf(content) ?? '')))],
    ]),
  ],
  ['context', members([['attributes', head(({ attributes }) => attributesOf(attributes))]])],
  [
    'api',
    members([
      ['id', head(({ surroundings }) => surroundings.api.id)],
      ['name', head(({ surroundings }) => surroundings.api.name)],
      ['version', head(({ surroundings }) => surroundings.api.version)],
      ['properties', head(propertiesOf)],
    ]),
  ],
  ['properties', value(propertiesOf)],
  ['dictionaries', value(({ surroundings }) => surroundings.dictionaries)],
  ['endpoints', value(({ surroundings }) => surroundings.endpoints)],
  [
    'node',
    members([
      ['id', head(({ surroundings }) => surroundings.node.id)],
      ['version', head(({ surroundings }) => surroundings.node.version)],
      ['tenant', head(({ surroundings }) => surroundings.node.tenant ?? null)],
      ['zone', head(({ surroundings }) => surroundings.node.zone ?? null)],
      ['shardingTags', head(({ surroundings }) => surroundings.node.shardingTags)],
    ]),
  ],
  [
    'subscription',
    members([
      // Who needs none has an anonymous one.
      ['id', head(({ subscription, request }) => subscription?.id ?? request.remoteAddress)],
      ['type', head(() => 'STANDARD')],
      ['applicationName', head(subscribed(({ applicationName }) => applicationName ?? null))],
      ['clientId', head(subscribed(({ clientId }) => clientId ?? null))],
      ['metadata', head(subscribed(({ metadata }) => valueOf(metadata ?? new Map())))],
      ['apiProductId', head(() => null)],
    ]),
  ],
  ['secrets', { kind: 'secrets' }],
  [
    'error',
    {
      kind: 'members',
      place: template,
      members: new Map(
        ['statusCode', 'key', 'message', 'cause'].map((name) => [name, memberOfVariable('error', name)]),
      ),
    },
  ],
  ['parameters', { kind: 'value', place: template, read: variable('parameters') }],
  ['group', { kind: 'value', place: rules, read: variable('group') }],
  ['responseTime', { kind: 'value', place: assertions, read: variable('responseTime') }],
  [
    'upstreamResponse',
    {
      kind: 'members',
      place: cached,
      members: new Map([
        ['status', head(answered(({ status }) => numberValue(status)))],
        ['headers', head(answered(({ headers }) => new HeaderLines(headers)))],
      ]),
    },
  ],
  ['username', { kind: 'value', place: users, read: variable('username') }],
  ['password', { kind: 'value', place: users, read: variable('password') }],
  ['authResponse', { kind: 'value', place: users, read: variable('authResponse') }],
  ['prompt', { kind: 'value', place: prompts, read: variable('prompt') }],
  ['keyId', { kind: 'value', place: signatures, read: variable('keyId') }],
  ['calloutResponse', { kind: 'members', place: callouts, members: calledMembers('calloutResponse') }],
  ['groupName', { kind: 'value', place: rules, read: variable('groupName') }],
  ['profile', { kind: 'value', place: mappings, read: variable('profile') }],
]);

/** A root; undefined for one that this version has not. */
export function rootOf(name: string): Root | undefined {
  return roots.get(name);
}

/** All roots, for the nearest. */
export function rootNames(): readonly string[] {
  return [...roots.keys()];
}

const versions = { '1.0': 'HTTP_1_0', '1.1': 'HTTP_1_1', '2': 'HTTP_2' } as const;

/** Nothing where the API has none, as in the reference. */
function propertiesOf({ surroundings }: ExpressionScope): Value {
  const { properties } = surroundings.api;
  return properties.size === 0 ? null : properties;
}

function sslOf({ connection, request }: ExpressionScope): Value {
  return new Map<string, Value>([
    ['clientHost', request.remoteAddress],
    ['clientPort', connection.remotePort],
    ['client', subjectOf(connection.clientCertificate?.subject)],
    ['server', subjectOf(connection.serverSubject)],
  ]);
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

class NamedLines implements Lines {
  readonly kind = 'lines';
  readonly isMapOfLists = true;
  readonly #lines: ReadonlyMap<string, readonly string[]>;

  constructor(lines: ReadonlyMap<string, readonly string[]>) {
    this.#lines = lines;
  }

  all(name: string): readonly string[] | undefined {
    return this.#lines.get(name);
  }

  names(): readonly string[] {
    return [...this.#lines.keys()];
  }
}

function paramsOf(query: string): Lines {
  const params = new URLSearchParams(query);
  return {
    kind: 'lines',
    isMapOfLists: true,
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
  const read = readJson(textOf(content) ?? '');
  return read instanceof Map ? read : new Map();
}
