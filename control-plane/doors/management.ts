import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { answerOf, nothingHere } from '../../proto/faults/answers.ts';
import type { FaultCode } from '../../proto/faults/codes.ts';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { addHealth, type HealthSource } from '../../proto/process/health.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { isCsrfToken, ThrottledFault } from '../access/access.ts';
import type { Actor, Whence } from '../access/actor.ts';
import type { Desk } from '../management/desk.ts';
import { routes } from '../management/index.ts';
import { basePaths, type Content, isRepeatable, type Route, type RouteAnswer } from '../management/route.ts';
import { repeatKeySchema } from '../management/repeats/repeats.ts';
import { resolveEnvironment } from '../management/tenants/tenants.store.ts';
import { etagOf, isKept } from './etag.ts';
import { readJsonBody, readUpload } from './json-body.ts';
import { managementOpenApi } from './openapi.ts';
import { registerConsole } from './console.ts';
import { registerReference } from './reference.ts';
import { createFront, incomingOf, type Front, type FrontOptions } from './front.ts';
import { authenticateRequest, noStranger, organizationOf, sessionOf } from './sign-in.ts';
import { registerSessions } from './sessions.ts';
import { registerFederation } from './federation.ts';
import { registerPasswordLinks } from './password-links.ts';

/** What the door needs. */
export interface ManagementDoorOptions extends FrontOptions {
  readonly desk: Desk;
  readonly metrics?: Metrics | undefined;
  /** Longest time for a body to arrive. */
  readonly bodyMsMax: number;
  /** How the process is, for whoever balances load; undefined where there is no process around it. */
  readonly health?: HealthSource | undefined;
}

interface Door {
  readonly desk: Desk;
  readonly front: Front;
  readonly bodyMsMax: number;
}

/** The management API over HTTP: signs in, checks form, calls operations, translates faults. */
export function createManagementDoor(options: ManagementDoorOptions): Hono {
  const { desk, log, metrics, bodyMsMax } = options;
  const door: Door = { desk, bodyMsMax, front: createFront(options) };
  const requests = metrics?.counter(
    'isthmus_management_requests_total',
    'Requests of the management API by method and class of status.',
    ['method', 'class'],
  );
  const app = new Hono({ strict: false });
  const patterns: PathPattern[] = [];
  const register = (method: string, path: string, handle: (context: Context) => Promise<Response>): void => {
    app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), handle);
    patterns.push({ method: method.toUpperCase(), expression: patternOf(path) });
  };

  app.use(async (context, next) => {
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('X-Frame-Options', 'DENY');
    context.header('Cache-Control', 'no-store');
    await next();
    // Methods are of a closed set; whatever else a client sends counts as OTHER.
    const method = knownMethods.has(context.req.method) ? context.req.method : 'OTHER';
    requests?.inc({ method, class: `${Math.floor(context.res.status / 100)}xx` });
  });
  const tell = createFailureLog(log);
  app.onError((error, context) => answerError(context, error, tell));
  app.notFound((context) => answerError(context, noRoute(context, patterns), tell));

  if (options.health !== undefined) addHealth(app, options.health);
  // Made when somebody asks for it: most processes never are, and it is half of what opening the door costs.
  let document: string | undefined;
  register('get', '/management/openapi.json', async (context) => {
    document ??= JSON.stringify(managementOpenApi());
    return context.body(document, 200, { 'Content-Type': 'application/json' });
  });
  registerReference(register);
  registerConsole(app);
  registerSessions(register, door);
  registerFederation(register, { ...door, log });
  registerPasswordLinks(register, door);
  for (const one of routes)
    for (const base of basePaths[one.scope])
      register(one.method, base + one.path, (context) => serve(context, door, one));
  return app;
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

async function serve(context: Context, door: Door, route: Route): Promise<Response> {
  const { desk, front } = door;
  const { actor, via, organization } = await signIn(context, door);
  if (via === 'cookie' && route.method !== 'get') {
    const session = sessionOf(front, context) ?? '';
    if (!isCsrfToken(session, context.req.header('x-xsrf-token'))) throw new Fault('csrf.missing');
  }
  if (actor.isEnrolling === true && !route.isForEnrolment) throw new Fault('signIn.secondFactorRequired');
  const at = await tenantOf(context, desk, { actor, organization });
  const { orgId: _orgId, envId: _envId, ...params } = context.req.param() as Readonly<Record<string, string>>;
  const { query, ignored } = parametersFor(route, context);
  if (ignored.length > 0) context.header('Warning', ignoredWords(ignored));
  const answer = await route.handle({
    desk,
    actor: { ...actor, from: { address: front.sourceOf(context), origin: originOf(context, via) } },
    at,
    params,
    query,
    body: await bodyFor(route, context, door),
    ifMatch: context.req.header('if-match'),
    repeatKey: repeatKeyFor(route, context),
    lastEventId: context.req.header('last-event-id'),
    again: () => sameAgain(context, door, actor),
    url: front.urlOf(context),
    source: front.sourceOf(context),
  });
  for (const [name, value] of Object.entries(answer.headers ?? {}))
    context.header(name, value, { append: name === 'Warning' });
  if (answer.content !== undefined) return contentAnswer(context, answer.content);
  if (answer.version === undefined)
    return answer.body === undefined
      ? context.body(null, answer.status)
      : context.json(answer.body as object, answer.status as 200);
  return versionedAnswer(context, route, answer);
}

/** Errors: request.invalid. */
function repeatKeyFor({ method }: Route, context: Context): string | undefined {
  const sent = isRepeatable(method) ? context.req.header('idempotency-key') : undefined;
  if (sent === undefined) return undefined;
  const read = repeatKeySchema.safeParse(sent);
  if (read.success) return read.data;
  throw new Fault('request.invalid', { details: detailsOf(read.error.issues, 'Idempotency-Key') });
}

/** Who asked, if whatever he came with still lets him in. Errors: those of a sign-in; request.unauthorized when it is somebody else by now. */
async function sameAgain(context: Context, door: Door, before: Actor): Promise<Actor> {
  const { actor, organization } = await signIn(context, door);
  if (actor.id !== before.id) throw new Fault('request.unauthorized');
  await tenantOf(context, door.desk, { actor, organization });
  return actor;
}

/** An answer with an ETag; 304 without a body to whoever has it already. */
function versionedAnswer(
  context: Context,
  { method }: Route,
  { body, status, version }: RouteAnswer,
): Response {
  const text = body === undefined ? '' : JSON.stringify(body);
  const etag = etagOf(version ?? 0, text);
  context.header('ETag', etag);
  if (method === 'get' && isKept(context.req.header('if-none-match'), etag)) return context.body(null, 304);
  if (body === undefined) return context.body(null, status);
  return context.body(text, status as 200, { 'Content-Type': 'application/json' });
}

/** What is no JSON: nothing in it is run, whoever wrote it. */
function contentAnswer(context: Context, { type, text, fileName }: Content): Response {
  const disposition = fileName === undefined ? 'inline' : `attachment;filename="${fileName}"`;
  const isWhole = typeof text === 'string' || text instanceof Uint8Array;
  if (!isWhole && context.req.method === 'HEAD') {
    // Nobody will take a part of it.
    void text[Symbol.asyncIterator]().return?.();
    return context.body(null, 200, { 'Content-Type': type });
  }
  // A stream pulls: a part is made when the one before has been taken, so a slow reader holds no more than that.
  const body = isWhole ? text : ReadableStream.from(text).pipeThrough(new TextEncoderStream());
  return context.body(body as string | ReadableStream, 200, {
    'Content-Type': type,
    'Content-Disposition': disposition,
    'Content-Security-Policy': "default-src 'none'; sandbox",
  });
}

/** What a change comes by: a session is the console's, a password a script's, a token a program's. */
const origins = { cookie: 'console', basic: 'script', bearer: 'automation' } as const;

/** The command line says itself that it is one; a browser's session is none whatever its headers say. */
const originOf = (context: Context, via: keyof typeof origins): Whence['origin'] =>
  via !== 'cookie' && context.req.header('user-agent') === 'isthmus-cli' ? 'cli' : origins[via];

/** Names the actor and the organization of the path. */
async function signIn(context: Context, door: Door) {
  const organization = await organizationOf(door.desk, {
    orgId: context.req.param('orgId'),
    envId: context.req.param('envId'),
  });
  const who = await authenticateRequest(door, context, organization);
  return { ...noStranger(who), organization };
}

/**
 * The tenant that the path means for this actor. A path without organization means the actor's own, so that a token of
 * another organization finds its own DEFAULT there and not somebody else's.
 */
async function tenantOf(
  context: Context,
  desk: Desk,
  { actor, organization }: { readonly actor: Actor; readonly organization: string | undefined },
): Promise<EnvironmentRef> {
  if (context.req.param('orgId') !== undefined && organization !== actor.organization)
    throw new Fault('request.not_found', { detail: 'There is no such organization.' });
  const envId = context.req.param('envId');
  if (envId === undefined) return { organization: actor.organization, environment: '' };
  const row = await resolveEnvironment(desk.storage.db, actor.organization, envId.replaceAll('\0', ''));
  if (row === undefined)
    throw new Fault('request.not_found', { detail: `There is no environment "${envId}".` });
  return { organization: actor.organization, environment: row.id };
}

async function bodyFor(route: Route, context: Context, { desk, bodyMsMax }: Door): Promise<unknown> {
  if (!route.takesBody) return undefined;
  const source = { incoming: incomingOf(context), msMax: bodyMsMax, clock: desk.clock };
  if (route.upload !== undefined) return readUpload(context.req.raw, source, route.upload);
  const body = await readJsonBody(context.req.raw, {
    ...source,
    isPatch: route.method === 'patch',
    ...(route.bodyBytesMax !== undefined && { bytesMax: route.bodyBytesMax }),
  });
  if (body !== undefined) return body;
  if (route.isBodyOptional) return {};
  throw new Fault('request.invalid', {
    detail: 'The body is missing.',
    details: [{ path: '', message: 'must be a JSON object' }],
  });
}

/** The parameters that a route knows, and the names of the others: a client of another version may send some, and learns that they mean nothing here. */
function parametersFor(
  route: Route,
  context: Context,
): { readonly query: Record<string, string>; readonly ignored: readonly string[] } {
  const values = new Map<string, string>();
  const ignored: string[] = [];
  for (const [name, all] of Object.entries(context.req.queries())) {
    if (!route.knows(name)) {
      ignored.push(name);
      continue;
    }
    const [first = ''] = all;
    if (all.length > 1 || first.includes('\0') || !first.isWellFormed())
      throw new Fault('request.invalid', {
        details: [
          { path: name, message: 'must be given once, as plain text; lists are separated by commas' },
        ],
      });
    values.set(name, first);
  }
  return { query: Object.fromEntries(values), ignored };
}

/** Names that a warning repeats, and characters of each. */
const ignoredMax = { names: 10, chars: 64 };

function ignoredWords(names: readonly string[]): string {
  // What stands in quotes must be free of quotes and line ends, whatever a client calls its parameters.
  const shown = names
    .slice(0, ignoredMax.names)
    .map((name) => encodeURIComponent(name.slice(0, ignoredMax.chars).toWellFormed()));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return `299 - "ignored query parameters: ${shown.join(', ')}${more}"`;
}

interface PathPattern {
  readonly method: string;
  readonly expression: RegExp;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`);
}

/** Where version 1 of the reference's management API has APIs, which its users try first. */
const apisOfVersion1 = /^\/management\/(?:organizations\/[^/]+\/)?(?:environments\/[^/]+\/)?apis(?:\/|$)/;
const apisAreElsewhere =
  'APIs are at /management/v2/environments/{envId}/apis; .../apis/_import/definition takes definitions of version 2 and custom resources too.';

function noRoute(context: Context, patterns: readonly PathPattern[]): Fault {
  const allowed = patterns.filter(({ expression }) => expression.test(context.req.path));
  if (allowed.length === 0)
    return nothingHere(apisOfVersion1.test(context.req.path) ? apisAreElsewhere : undefined);
  const methods = [...new Set(allowed.map(({ method }) => method))].toSorted();
  context.header('Allow', methods.join(', '));
  return new Fault('request.method_not_allowed', { hint: `Allowed: ${methods.join(', ')}.` });
}

/** A process is set up without these, and whoever asks one for them is told where they are. */
const partsElsewhere: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'analytics.unavailable',
  'debug.unavailable',
  'email.disabled',
]);

type FailureLog = (context: Context, error: unknown) => void;

/** Says of each request that failed why, and once of a part that does not run here that somebody asked for it: nothing failed, however often he asks. */
function createFailureLog(log: Log): FailureLog {
  const said = new Set<FaultCode>();
  return (context, error) => {
    const { method, path } = context.req;
    if (error instanceof Fault && partsElsewhere.has(error.code)) {
      if (said.has(error.code)) return;
      said.add(error.code);
      log.info({ code: error.code, method, path }, 'a request asked for what does not run in this process');
      return;
    }
    const transaction = randomUUID();
    context.header('X-Transaction-Id', transaction);
    log.error({ err: error, transaction, method, path }, 'a management request failed');
  };
}

function answerError(context: Context, error: unknown, tell: FailureLog): Response {
  const answer = answerOf(error);
  // What the reference answers with 5xx though nothing failed: strangers could fill the log with it.
  const isRefusal = error instanceof Fault && error.isOfClient;
  if (answer.isBug || (answer.status >= 500 && !isRefusal)) tell(context, error);
  if (answer.status === 401) context.header('WWW-Authenticate', challengeFor(context));
  if (answer.status === 429) {
    const seconds = error instanceof ThrottledFault ? Math.ceil(error.retryAfterMs / 1_000) : 1;
    context.header('Retry-After', String(seconds));
  }
  // What was not read of a body would be taken for the next request, so this connection ends here, and says so: otherwise
  // a client would send its next request into a closing socket.
  if (answer.status === 413 || hasUnreadBody(context)) context.header('Connection', 'close');
  invariant(answer.status >= 400 && answer.status < 600, 'an error has an error status');
  return context.json(answer.body, answer.status as 400);
}

/** To a script in a page, Basic would make the browser ask in a window of its own, over the page that asks itself. */
function challengeFor(context: Context): string {
  const isScript = context.req.header('sec-fetch-dest') === 'empty';
  return isScript ? 'Session realm="isthmus"' : 'Basic realm="isthmus", charset="UTF-8"';
}

function hasUnreadBody(context: Context): boolean {
  const incoming = incomingOf(context);
  const hasBody =
    Number(context.req.header('content-length') ?? 0) > 0 ||
    context.req.header('transfer-encoding') !== undefined;
  return hasBody && !(incoming?.readableEnded ?? context.req.raw.bodyUsed);
}
