import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { maskSealed } from '../../proto/model/secrets/sealed-values.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { type Actor, authorize, type Resource } from '../access/actor.ts';
import type { Action, Permission, Right, Scope } from '../access/permissions.ts';
import type { Desk } from './desk.ts';
import { idSchema } from './fields.ts';
import { onlyOnce } from './repeats/repeats.ts';

/** Which tenant a route works in; each scope has its base paths in {@link basePaths}. */
export type RouteScope = 'environment' | 'organization' | 'v1-environment' | 'v1-organization';

/** Where the routes of a scope hang; the same handler answers under each base. */
export const basePaths: Readonly<Record<RouteScope, readonly string[]>> = {
  environment: [
    '/management/v2/environments/{envId}',
    '/management/v2/organizations/{orgId}/environments/{envId}',
  ],
  organization: ['/management/v2/organizations/{orgId}'],
  'v1-environment': ['/management/organizations/{orgId}/environments/{envId}'],
  'v1-organization': ['/management/organizations/{orgId}'],
};

/** What a route's function is called with: everything in it was checked against the route's schemas. */
export interface RouteCall<Params, Query, Body> {
  readonly desk: Desk;
  readonly actor: Actor;
  /** `environment` is empty in organization scopes. */
  readonly at: EnvironmentRef;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The If-Match header. */
  readonly ifMatch: string | undefined;
  /** The Last-Event-ID header, of who comes back to a stream. */
  readonly lastEventId: string | undefined;
  /** Whoever asks, judged anew, for what goes on for long. Errors: as for a call. */
  again(): Promise<Actor>;
  /** The whole URL as it was asked for, for links. */
  readonly url: string;
  /** Where the call comes from: an address, or the /64 of one. */
  readonly source: string;
}

/** Permissions at the objects that the path names, of which one suffices, or nothing but a sign-in. */
export type RoutePermission = Permission | readonly Permission[] | 'signed-in';

/** Names in a path template with their values: `/apis/{apiId}/plans/{planId}` is `{ apiId: string; planId: string }`. */
export type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParamsOf<Rest>
  : unknown;

/** A body that is no JSON. */
export interface Upload {
  readonly type: `${string}/*`;
  readonly bytesMax: number;
}

/** What it comes as. */
export const uploadSchema = z
  .custom<Uint8Array>((value) => value instanceof Uint8Array)
  .openapi({ type: 'string', format: 'binary' });

/** An answer that is no JSON. */
export interface Content {
  readonly type: string;
  /** Parts are made as they are sent, so that the size of all costs no memory; what fails on the way breaks the answer off. */
  readonly text: string | Uint8Array<ArrayBuffer> | AsyncIterable<string>;
  /** What a browser saves it as; shown in place when absent. */
  readonly fileName?: string;
  /** Of what is sent for long: judges whoever asked anew, as he is now, beside what the route does. Errors: as for a call. */
  readonly judge?: ((again: Actor) => Promise<void>) | undefined;
}

/** One route: its contract as schemas, who may call it, and the operation it calls. */
export interface RouteSpec<Params, Query, Body, Result> {
  readonly operationId: string;
  readonly summary: string;
  /** What whoever calls must be permitted; `signed-in` for what is everybody's own. */
  readonly permission: RoutePermission;
  /** Open also to who has nothing to do yet but to set up a second factor. */
  readonly isForEnrolment?: true;
  /** Derived from the method when absent: get is read, post create, put and patch update, delete delete. */
  readonly action?: Action;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Of a body that is no JSON: which media types, `image/*` for all of a kind, and the most bytes. */
  readonly upload?: Upload;
  /** Most bytes of a body of JSON, where 1 MiB is too few. */
  readonly bodyBytesMax?: number;
  /** True when an absent body means `{}`. */
  readonly isBodyOptional?: boolean;
  /** Says of a body that was refused that it is something else as a whole, in place of everything that is wrong with it. */
  readonly mistaken?: (body: unknown) => FaultDetail | undefined;
  /** Of the method when absent: get, put and patch 200, post 201, delete 204. */
  readonly status?: RouteStatus;
  readonly answer?: z.ZodType;
  /** Media types of an answer that is {@link Content}. */
  readonly contentTypes?: readonly string[];
  /**
   * Present when the answer carries a strong ETag: this number, which is another one with every change of the row, and a hash of what is answered,
   * since an answer may say more than its row does. If-Match asks for the number, If-None-Match for all of it.
   */
  readonly version?: (result: Result) => number;
  /** Headers of the answer beside those that every answer has; `Warning` comes beside what the door warns of. */
  readonly headers?: (
    call: RouteCall<Params, Query, Body>,
    result: Result,
  ) => Promise<Readonly<Record<string, string>>>;
  run(call: RouteCall<Params, Query, Body>): Promise<Result>;
}

type RouteStatus = 200 | 201 | 202 | 204;

/** What a door hands to a route, unchecked. */
export interface RouteRequest extends Omit<
  RouteCall<unknown, unknown, unknown>,
  'params' | 'query' | 'body'
> {
  readonly params: Readonly<Record<string, string>>;
  /** Of the names that the route knows; the door leaves out the others. */
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON, undefined when there was no body. */
  readonly body: unknown;
  /** The Idempotency-Key header, of a method that {@link isRepeatable} says has one. */
  readonly repeatKey?: string | undefined;
}

/** What a door sends. */
export interface RouteAnswer {
  readonly status: RouteStatus;
  readonly body: unknown;
  /** In place of the body. */
  readonly content?: Content;
  /** What the ETag is made of; undefined where there is none. */
  readonly version: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A route with its types closed over: what doors, documents and the matrix test see. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly scope: RouteScope;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  /** Rights of which one suffices; undefined for what is everybody's own. */
  readonly rights: readonly Right[] | undefined;
  readonly status: RouteStatus;
  readonly schemas: {
    readonly params: z.ZodObject;
    readonly query: z.ZodType | undefined;
    readonly body: z.ZodType | undefined;
    readonly answer: z.ZodType | undefined;
  };
  readonly contentTypes: readonly string[] | undefined;
  /** Whether its answer has an ETag. */
  readonly isVersioned: boolean;
  readonly upload: Upload | undefined;
  readonly takesBody: boolean;
  /** Undefined: as many as the door takes. */
  readonly bodyBytesMax: number | undefined;
  readonly isBodyOptional: boolean;
  readonly isForEnrolment: boolean;
  /** Whether the query may have a parameter of this name. */
  knows(parameter: string): boolean;
  /**
   * Judges the right, checks the request whole, naming every wrong field, then calls the operation.
   *
   * Errors: request.not_found and request.forbidden, request.invalid.
   */
  handle(request: RouteRequest): Promise<RouteAnswer>;
}

/** Whether a request of the method can have an Idempotency-Key: the others do the same when they are repeated. */
export const isRepeatable = (method: Route['method']): boolean => method === 'post' || method === 'patch';

const emptySchema = z.strictObject({});
const statusOf = { get: 200, post: 201, put: 200, patch: 200, delete: 204 } as const;

type Define = <const Path extends string, Query = unknown, Body = undefined, Result = unknown>(
  path: Path,
  spec: RouteSpec<ParamsOf<Path>, Query, Body, Result>,
) => Route;

/**
 * Defines the routes of a resource: `plans.post('/apis/{apiId}/plans', { operationId, permission, ... })`. Paths hang below the bases of
 * the scope; what stands in braces is an id and comes as `params`.
 */
export function resource(of: {
  readonly tag: string;
  readonly scope: RouteScope;
}): Readonly<Record<Route['method'], Define>> {
  const by =
    (method: Route['method']): Define =>
    (path, spec) =>
      route({ method, path, ...of }, spec);
  return { get: by('get'), post: by('post'), put: by('put'), patch: by('patch'), delete: by('delete') };
}

/** Closes the types of a route over its schemas. */
function route<Params, Query, Body, Result>(
  of: Pick<Route, 'method' | 'path' | 'scope' | 'tag'>,
  spec: RouteSpec<Params, Query, Body, Result>,
): Route {
  const { query, body, answer, status = statusOf[of.method] } = spec;
  const params = paramsSchema(of.path);
  const rights = rightsOf(of.method, spec);
  const answerOf = (result: Result) => answered(result, status, spec.version);
  return {
    ...of,
    operationId: spec.operationId,
    summary: spec.summary,
    rights,
    status,
    schemas: { params, query, body, answer },
    contentTypes: spec.contentTypes,
    isVersioned: spec.version !== undefined,
    upload: spec.upload,
    takesBody: body !== undefined,
    bodyBytesMax: spec.bodyBytesMax,
    isBodyOptional: spec.isBodyOptional === true,
    isForEnrolment: spec.isForEnrolment === true,
    knows: (parameter) => query instanceof z.ZodObject && Object.hasOwn(query.shape, parameter),
    async handle(request) {
      const details: FaultDetail[] = [];
      const check = <T>(schema: z.ZodType<T> | undefined, value: unknown, where: string): T => {
        const parsed = (schema ?? emptySchema).safeParse(value);
        if (!parsed.success) details.push(...detailsOf(parsed.error.issues, where));
        return parsed.data as T;
      };
      const pathParams = check(params, request.params, '') as Params;
      if (details.length > 0) throw new Fault('request.invalid', { details });
      const actor = await permitted(request, { rights, method: of.method });
      const call = {
        ...request,
        actor,
        again: async () =>
          permitted({ ...request, actor: await request.again() }, { rights, method: of.method }),
        params: pathParams,
        query: check(query, request.query, ''),
        body: body === undefined ? (undefined as Body) : check(body, request.body, ''),
      };
      const mistaken = details.length > 0 ? spec.mistaken?.(request.body) : undefined;
      if (details.length > 0)
        throw new Fault('request.invalid', { details: mistaken === undefined ? details : [mistaken] });
      const carryOut = async (desk: Desk): Promise<RouteAnswer> => {
        const result = await spec.run({ ...call, desk });
        const headers = await spec.headers?.(call, result);
        if (spec.contentTypes !== undefined)
          return {
            status,
            headers,
            body: undefined,
            content: whilePermitted(result as Content, call.again),
            version: undefined,
          };
        return { headers, ...answerOf(result) };
      };
      const key = isRepeatable(of.method) ? request.repeatKey : undefined;
      if (key === undefined) return carryOut(request.desk);
      const answerMade = (made: unknown) => {
        // What answers nothing makes nothing; what it does make is something on the way to the answer.
        const isAnswer = status === 204 ? made === undefined : answer?.safeParse(made).success === true;
        return isAnswer ? answerOf(made as Result) : undefined;
      };
      return onlyOnce({ ...request, actor, key, method: of.method, answerOf: answerMade }, carryOut);
    },
  };
}

/** What is sent for long is sent to who still may have it: he is judged again before each part but the first. Streams judge their readers themselves. */
function whilePermitted(content: Content, again: () => Promise<Actor>): Content {
  const { text, type, judge } = content;
  if (typeof text === 'string' || text instanceof Uint8Array || type === 'text/event-stream') return content;
  const judgeAnew = async (): Promise<void> => {
    const actor = await again();
    await judge?.(actor);
  };
  return { ...content, text: judged(text, judgeAnew) };
}

async function* judged(parts: AsyncIterable<string>, judgeAnew: () => Promise<void>): AsyncGenerator<string> {
  let isFirst = true;
  for await (const part of parts) {
    if (!isFirst) await judgeAnew();
    isFirst = false;
    yield part;
  }
}

/** What is said of a result: no secret of a definition, and nothing at all where the status says that nothing is. */
function answered<Result>(result: Result, status: RouteStatus, version?: (result: Result) => number) {
  const isSilent = status === 204;
  return {
    status,
    body: isSilent ? undefined : maskSealed(result),
    version: isSilent ? undefined : version?.(result),
  };
}

function paramsSchema(path: string): z.ZodObject {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  return z.object(
    Object.fromEntries(names.map((name) => [name, named.has(name) ? longNameSchema : idSchema])),
  );
}

/** Parameters that name what records say, which may be called whatever an API has called it. */
const named: ReadonlySet<string> = new Set(['metricName', 'filterName']);
const longNameSchema = z.string().min(1).max(256);

const actionOf = {
  get: 'read',
  post: 'create',
  put: 'update',
  patch: 'update',
  delete: 'delete',
} as const;

/** Scopes of objects that a path may name, by the parameter that names them. */
const objectParams = {
  apiId: 'api',
  applicationId: 'application',
  integrationId: 'integration',
  groupId: 'group',
} as const satisfies Readonly<Record<string, Scope>>;

function rightsOf(
  method: Route['method'],
  {
    permission,
    action = actionOf[method],
  }: { readonly permission: RoutePermission; readonly action?: Action },
): Route['rights'] {
  if (permission === 'signed-in') return undefined;
  const permissions = typeof permission === 'string' ? [permission] : permission;
  return permissions.map((one): Right => `${one}:${action}`);
}

/** The actor with what is held on the objects of the path, when that permits the call. */
async function permitted(
  { desk, actor, at, params }: RouteRequest,
  { rights, method }: Pick<Route, 'rights' | 'method'>,
): Promise<Actor> {
  const objects = Object.entries(objectParams).flatMap(([name, scope]) => {
    const reference = params[name];
    return reference === undefined ? [] : [{ scope, reference }];
  });
  const known = await desk.access.withObjects(actor, objects);
  if (rights === undefined) {
    // What is everybody's own has no scope: a narrowed token reads it, and makes itself no wider one.
    if (actor.scopes !== undefined && method !== 'get')
      throw new Fault('request.forbidden', {
        detail: 'A token that is narrowed to scopes changes nothing of what is your own.',
        internal: `${actor.username} came with a narrowed token`,
      });
    return known;
  }
  const chain: Resource = {
    ...at,
    ...Object.fromEntries(objects.map(({ scope, reference }) => [scope, reference])),
  };
  authorize(known, rights, chain);
  return known;
}

/**
 * Compares If-Match with the version that a row has now; an absent header matches. What an ETag says beside the version is of an answer, and
 * does not count here: `"7"` and `"7.xyz"` mean the same row.
 *
 * Errors: request.precondition_failed. Weak tags never match (RFC 9110, 13.1.1).
 */
export function checkIfMatch(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined) return;
  const versions = ifMatch
    .split(',')
    .map((tag) => /^"(\d+)(?:\.[\w-]*)?"$/.exec(tag.trim())?.[1] ?? tag.trim());
  if (!versions.includes('*') && !versions.includes(String(version)))
    throw new Fault('request.precondition_failed');
}

/**
 * A number for the ETag of what keeps no moment of its last change: of all that it is answered as, so that it is another one when anything of
 * that is. What was changed and changed back has the number that it had.
 */
export function contentVersionOf(answer: object): number {
  return createHash('sha256').update(JSON.stringify(answer)).digest().readUIntBE(0, 6);
}
