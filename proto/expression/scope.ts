import type { Work } from './work.ts';

/** Header lines, by lower-case name. */
export interface ScopeHeaders {
  get(lowerName: string): string | undefined;
  getAll(lowerName: string): readonly string[];
  /** Calls back per line in order, with the case as received or set. */
  forEach(visit: (name: string) => void): void;
}

/** What others left in the context of a request. */
export interface ScopeAttributes {
  get(name: string): unknown;
  has(name: string): boolean;
  keys(): Iterable<string>;
}

/** What of a request in hand an expression may read. What is dear to make is a getter of whoever implements it. */
export interface ExpressionScope {
  readonly request: {
    readonly id: string;
    readonly transactionId: string;
    readonly method: string;
    readonly path: string;
    readonly pathInfo: string;
    readonly contextPath: string;
    readonly query: string | undefined;
    readonly host: string;
    readonly scheme: string;
    readonly remoteAddress: string;
    readonly headers: ScopeHeaders;
    /** Undefined where no step needed it whole. */
    readonly content: Uint8Array | undefined;
  };
  /** Undefined until there is an answer. */
  readonly response:
    | {
        readonly status: number;
        readonly headers: ScopeHeaders;
        readonly content: Uint8Array | undefined;
      }
    | undefined;
  readonly attributes: ScopeAttributes;
  /** Ms since the epoch. */
  readonly startedAtMs: number;
  readonly connection: ScopeConnection;
  /** What stands for `:id` in the paths of flows that match, as it was sent. */
  readonly pathParams: ReadonlyMap<string, readonly string[]>;
  /** Undefined before the caller is known, and of a plan that nobody subscribes to. */
  readonly subscription: ScopeSubscription | undefined;
  readonly surroundings: Surroundings;
  /** What only this place knows, by its name without `#`: the groups of a pattern, the error of a response template. */
  readonly variables?: ReadonlyMap<string, unknown> | undefined;
  /** What its expressions have done so far; theirs alone. */
  work?: Work | undefined;
}

/** What there is of a request where nobody calls. */
export const noCall: Omit<ExpressionScope, 'surroundings' | 'variables' | 'work'> = {
  request: {
    id: '',
    transactionId: '',
    method: '',
    path: '',
    pathInfo: '',
    contextPath: '',
    query: undefined,
    host: '',
    scheme: '',
    remoteAddress: '',
    headers: { get: () => undefined, getAll: () => [], forEach: () => undefined },
    content: undefined,
  },
  response: undefined,
  attributes: new Map(),
  startedAtMs: 0,
  connection: { httpVersion: '1.1', localAddress: '', remotePort: 0, clientCertificate: undefined },
  pathParams: new Map(),
  subscription: undefined,
};

/** The client's connection. */
export interface ScopeConnection {
  readonly httpVersion: '1.0' | '1.1' | '2';
  readonly localAddress: string;
  readonly remotePort: number;
  /** Subject e.g. `CN=orders, O=Acme`. */
  readonly clientCertificate: { readonly subject: string } | undefined;
  /** The same of the certificate that the client was shown. */
  readonly serverSubject?: string | undefined;
}

/** Whose plan a request is on. */
export interface ScopeSubscription {
  readonly id: string;
  readonly applicationName?: string | undefined;
  readonly clientId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string> | undefined;
}

/** What is the same for all requests to an API. */
export interface Surroundings {
  readonly api: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly properties: ReadonlyMap<string, string>;
  };
  /** Names of endpoints and their groups, as a target names them: `name:`. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** Of the environment, as they are now. */
  readonly dictionaries: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly node: NodeFacts;
  readonly secrets: SecretReferences;
}

/** The gateway that works. */
export interface NodeFacts {
  readonly id: string;
  readonly version: string;
  readonly tenant: string | undefined;
  readonly zone: string | undefined;
  readonly shardingTags: readonly string[];
}

/** Where a definition's references to secrets lead. */
export interface SecretReferences {
  /** Its value, or why there is none; the value is nowhere in that. path: e.g. `/env/TOKEN`, `/file/payments`. */
  get(path: string, key: string | undefined): { readonly value: string } | { readonly why: string };
}

/** An answer to a call that a policy made; a variable by that expressions name it. */
export class CalledAnswer {
  readonly status: number;
  readonly headers: ScopeHeaders;
  readonly content: Uint8Array;

  constructor(status: number, headers: ScopeHeaders, content: Uint8Array) {
    this.status = status;
    this.headers = headers;
    this.content = content;
  }
}

/** The same request where more is known; what its expressions have done is one sum. */
export function withVariables(
  scope: ExpressionScope,
  variables: ReadonlyMap<string, unknown>,
): ExpressionScope {
  return new KnowingScope(scope, { variables, response: scope.response });
}

/** The same request with an answer that may not be the last one. */
export function withResponse(
  scope: ExpressionScope,
  response: NonNullable<ExpressionScope['response']>,
): ExpressionScope {
  return new KnowingScope(scope, { variables: scope.variables, response });
}

class KnowingScope implements ExpressionScope {
  readonly variables: ExpressionScope['variables'];
  readonly response: ExpressionScope['response'];
  readonly #scope: ExpressionScope;

  constructor(scope: ExpressionScope, known: Pick<ExpressionScope, 'variables' | 'response'>) {
    this.#scope = scope;
    this.variables = known.variables;
    this.response = known.response;
  }

  get request() {
    return this.#scope.request;
  }

  get attributes() {
    return this.#scope.attributes;
  }

  get startedAtMs() {
    return this.#scope.startedAtMs;
  }

  get connection() {
    return this.#scope.connection;
  }

  get pathParams() {
    return this.#scope.pathParams;
  }

  get subscription() {
    return this.#scope.subscription;
  }

  get surroundings() {
    return this.#scope.surroundings;
  }

  get work() {
    return this.#scope.work;
  }

  set work(work) {
    this.#scope.work = work;
  }
}
