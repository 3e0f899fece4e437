/**
 * A definition that shows a policy at work, with calls and what is answered. The page of the policy shows it, and a test sends every call
 * through a gateway.
 *
 * Shape:  `{ about, request: [{ policy, configuration }], calls: [{ request: { path: '/a' }, answer: { status: 200 } }] }`.
 * Texts:  `http://backend.example:8080` is the backend, wherever it stands. In what is expected `…` stands for any text.
 */
export interface PolicyExample {
  /** What the API does for its callers, in a sentence or two. */
  readonly about: string;
  /** Steps of its flow, of which the policy is one. */
  readonly request?: readonly ExampleStep[];
  readonly response?: readonly ExampleStep[];
  /** Of its plan. Default: keyless. */
  readonly security?: { readonly type: string; readonly configuration?: object };
  /** More fields of the definition: resources, properties, response templates. */
  readonly definition?: Readonly<Record<string, unknown>>;
  /** What stands in `isthmus.yaml` beside it: subscriptions, shared policy groups. */
  readonly folder?: Readonly<Record<string, unknown>>;
  /** Settings that the gateway needs. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What the backend answers by path; the answers of a list one after another, the last one from then on. Default: 200 with `hello`. */
  readonly backend?: Readonly<Record<string, ExampleAnswer | readonly ExampleAnswer[]>>;
  /** Sent one after another. */
  readonly calls: readonly ExampleCall[];
}

/** A step as a definition has it. */
export interface ExampleStep {
  readonly policy: string;
  readonly condition?: string;
  readonly configuration: object;
}

/** A call and what comes of it. */
export interface ExampleCall {
  /** What it shows, where the answer does not say so. */
  readonly about?: string;
  readonly request: {
    /** Default: GET, with a body POST. */
    readonly method?: string;
    /** Below the path of the API, with its query. Default: nothing. */
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** What the backend got, as far as it matters: null is a header that it did not get, `nothing` that it was not asked. */
  readonly received?: 'nothing' | ExampleReceived;
  readonly answer: ExampleAnswer;
}

/** What a backend gets. */
export interface ExampleReceived {
  readonly method?: string;
  /** With its query. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
}

/** An answer; of what is expected only what is said here is asked, null being a header that is not there. */
export interface ExampleAnswer {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
}

/** What stands for the backend in examples. */
export const exampleBackend = 'http://backend.example:8080';

/** The whole definition of an example: an API at the path of its id. */
export function definitionOf(
  { id, title }: { readonly id: string; readonly title: string },
  example: PolicyExample,
): Readonly<Record<string, unknown>> {
  const { request, response, security = { type: 'KEY_LESS' } } = example;
  const flow = { selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }], request, response };
  const flows = request === undefined && response === undefined ? undefined : [withoutGaps(flow)];
  return withoutGaps({
    id,
    name: title,
    gravitee: '4.0.0',
    type: 'proxy',
    apiVersion: '1.0',
    listeners: [{ type: 'http', paths: [{ path: `/${id}` }] }],
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: exampleBackend } }],
      },
    ],
    plans: { callers: { security } },
    flows,
    ...example.definition,
  });
}

const withoutGaps = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The method by which a call is sent. */
export const methodOf = ({ method, body }: ExampleCall['request']): string =>
  method ?? (body === undefined ? 'GET' : 'POST');
