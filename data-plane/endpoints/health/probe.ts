import { type CalledUrl, calledUrlOf } from '../called-url.ts';
import type { Condition, ConditionScope, Judgement } from '../../../proto/expression/condition.ts';
import { type ExpressionScope, withResponse, withVariables } from '../../../proto/expression/scope.ts';
import type { Rendered, Template } from '../../../proto/expression/template.ts';
import type { HealthCheckDefinition } from '../../../proto/model/api.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import { BodyTooLarge } from '../../http/body.ts';
import type { HeaderList, Upstream, UpstreamResult } from '../../http/exchange.ts';
import { OwnCall } from '../own-call.ts';
import { createTarget } from '../target.ts';
import type { CheckedApi, EndpointCheck } from './board.ts';
import type { CompiledCheck } from './compiled.ts';

/** Largest answer that an assertion may read; a longer one is a failure. */
const answerBytesMax = 65_536;

/** What a check found. */
export interface Finding {
  /** Undefined when the assertion holds. */
  readonly problem: string | undefined;
  readonly method: HealthCheckDefinition['method'];
  /** What was called; undefined when it is not known whom to call. */
  readonly url: string | undefined;
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  readonly responseMs: number;
}

/** What a check works with. */
export interface ProbeTools {
  readonly clock: Clock;
  readonly createHeaders: () => HeaderList;
  /** The pool toward a URL; undefined when the gateway may not call it. */
  readonly toward: (called: CalledUrl) => Upstream | undefined;
  readonly checkMsMax: number;
  /** Asks the assertion when its turn has come; undefined when it has to be put off. */
  readonly inTurn: (ask: () => Judgement) => Promise<Judgement | undefined>;
  /** Aborts when nobody wants to know any more. */
  readonly signal: AbortSignal;
}

/** Asks an endpoint how it is; undefined when what it answered may not be judged now. Never rejects: what goes wrong is what it found. */
export async function probe(
  {
    api,
    check,
    compiled,
  }: { readonly api: CheckedApi; readonly check: EndpointCheck; readonly compiled: CompiledCheck },
  tools: ProbeTools,
): Promise<Finding | undefined> {
  const { method } = check.definition;
  const startedMs = tools.clock.monotonicMs();
  const scope = new CheckScope(api, method, tools);
  const found = (finding: Partial<Finding>): Finding => ({
    problem: undefined,
    method,
    url: undefined,
    status: undefined,
    responseMs: Math.round(tools.clock.monotonicMs() - startedMs),
    ...finding,
  });
  const called = targetOf(check, compiled, scope);
  if (typeof called === 'string') return found({ problem: called });
  const { url } = called;
  const upstream = tools.toward(called);
  if (upstream === undefined)
    return found({ url: url.href, problem: 'leads to where this gateway may not call' });
  const target = createTarget(url);
  const body = textOf(compiled.body.render(scope));
  if (typeof body !== 'string') return found({ url: url.href, problem: `body: ${body.why}` });
  const { headers } = scope.request;
  headers.set('Host', target.authority);
  setHeaders(scope, check.endpointHeaders);
  setHeaders(scope, compiled.headers);
  const call = new OwnCall(scope.request, { ...tools, callMsMax: tools.checkMsMax });
  try {
    const result = await call.send(upstream, { target: target.line('', undefined), body });
    if (result.kind !== 'response')
      return found({
        url: url.href,
        problem: result.kind === 'failure' ? result.message : 'it switched protocols',
      });
    const { status } = result.head;
    const content = await contentOf(result, compiled.assertion);
    const answered = found({ url: url.href, status });
    const asked = withVariables(
      withResponse(scope, { status, headers: result.head.headers, content }),
      new Map([['responseTime', answered.responseMs]]),
    );
    const judged = await tools.inTurn(() => compiled.assertion.judge(asked));
    return judged === undefined ? undefined : { ...answered, problem: problemOf(judged) };
  } catch (error) {
    if (error instanceof BodyTooLarge)
      return found({
        url: url.href,
        problem: `the assertion failed: it reads at most ${answerBytesMax} bytes of an answer`,
      });
    // The body did not come, or not whole.
    return found({ url: url.href, problem: error instanceof Error ? error.message : String(error) });
  } finally {
    call.end();
  }
}

async function contentOf(
  { body }: Extract<UpstreamResult, { readonly kind: 'response' }>,
  { needs }: Condition,
): Promise<Uint8Array | undefined> {
  if (needs === 'buffered') return body.buffer(answerBytesMax);
  body.discard();
  return undefined;
}

function problemOf(judged: Judgement): string | undefined {
  if (judged === true) return undefined;
  return typeof judged === 'object' ? `the assertion failed: ${judged.why}` : 'the assertion does not hold';
}

/** The URL to be called, or why there is none. */
function targetOf(check: EndpointCheck, compiled: CompiledCheck, scope: ConditionScope): CalledUrl | string {
  const written = textOf(compiled.target.render(scope));
  if (typeof written !== 'string') return `target: ${written.why}`;
  if (/^https?:/i.test(written)) return calledUrlOf(written);
  const endpoint = textOf(check.endpointTarget.render(scope));
  if (typeof endpoint !== 'string') return `the endpoint's target: ${endpoint.why}`;
  const called = calledUrlOf(endpoint);
  const { url } = called;
  if (written === '') return called;
  const { overrideEndpointPath } = check.definition;
  const [path = '', ...query] = written.split('?');
  const base = overrideEndpointPath ? '' : url.pathname;
  url.pathname = `${base.replace(/\/$/, '')}/${path.replace(/^\//, '')}`;
  if (query.length > 0) url.search = `?${query.join('?')}`;
  else if (overrideEndpointPath) url.search = '';
  return called;
}

const textOf = (rendered: Rendered<string>): string | { readonly why: string } =>
  rendered.kind === 'value'
    ? rendered.value
    : { why: rendered.kind === 'failed' ? rendered.why : 'comes to nothing' };

/** One that fails or comes to nothing is left as it is, as on requests. */
function setHeaders(
  scope: CheckScope,
  lines: readonly { readonly name: string; readonly value: Template<string> }[],
): void {
  for (const { name, value } of lines) {
    const rendered = value.render(scope);
    if (rendered.kind === 'value') scope.request.headers.set(name, rendered.value);
  }
}

/** What expressions of a check see: its own request, the API, and nobody who calls. */
class CheckScope implements ConditionScope {
  readonly request: ExpressionScope['request'] & { readonly headers: HeaderList };
  readonly response = undefined;
  readonly attributes: ReadonlyMap<string, unknown> = new Map();
  readonly startedAtMs: number;
  readonly connection = {
    httpVersion: '1.1',
    localAddress: '',
    remotePort: 0,
    clientCertificate: undefined,
  } as const;
  readonly pathParams: ReadonlyMap<string, readonly string[]> = new Map();
  readonly subscription = undefined;
  readonly surroundings: ExpressionScope['surroundings'];

  constructor(api: CheckedApi, method: string, { clock, createHeaders }: ProbeTools) {
    this.startedAtMs = clock.now();
    this.surroundings = api.surroundings;
    this.request = {
      id: '',
      transactionId: '',
      method,
      path: '',
      pathInfo: '',
      contextPath: '',
      query: undefined,
      host: '',
      scheme: 'http',
      remoteAddress: '',
      headers: createHeaders(),
      content: undefined,
    };
  }

  warn(): void {
    // What failed is what the check found.
  }
}
