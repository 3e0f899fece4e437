import createClient, { type Middleware } from 'openapi-fetch';
import { now } from '../kit/now.ts';
import type { paths, Schemas } from './management.generated.ts';
import { Problem } from './problem.ts';
import { answerRecorded } from './recorded.ts';

export type { Schemas };

/** The organization of who says nothing else. */
export const usualOrganization = 'DEFAULT';

/**
 * The organization of this console; what belongs to environments names theirs. It is the one that this browser chose last at sign-in, by hand or
 * by a link such as `/console/sign-in?organization=acme`.
 */
export const organization = organizationOf(location, localStorage);

/** Remembers another one and begins anew at its sign-in: what was asked before was another organization's. */
export function chooseOrganization(name: string): void {
  location.assign(`/console/sign-in?organization=${encodeURIComponent(name)}`);
}

function organizationOf({ pathname, search }: Location, kept: Storage): string {
  const isEntrance = pathname === '/console/sign-in';
  const named = isEntrance ? new URLSearchParams(search).get('organization') : null;
  if (named !== null && /^[A-Za-z0-9][\w-]{0,63}$/.test(named)) kept.setItem('organization', named);
  return kept.getItem('organization') ?? usualOrganization;
}

/** Who knows whether the session is still that of whoever the page was made for (`standing.ts`). */
interface SessionWatch {
  readonly isInDoubt: () => boolean;
  /** Asks; false when it is not. */
  readonly settle: () => Promise<boolean>;
  /** Errors: Problem with status 401, always. */
  readonly refuse: (isChange: boolean) => never;
}

let watch: SessionWatch | undefined;

/** Has it asked before a request when there is a doubt, and after an answer that says that the session has ended. */
export function watchSession(by: SessionWatch): void {
  watch = by;
}

/** What another site cannot read, and so cannot send; undefined when nobody is signed in. */
export function csrfToken(): string | undefined {
  const pair = document.cookie.split('; ').find((each) => each.startsWith('XSRF-TOKEN='));
  return pair?.slice('XSRF-TOKEN='.length);
}

const isSignIn = (request: Request): boolean => request.headers.has('authorization');

const session: Middleware = {
  async onRequest({ request }) {
    const answer = await answerRecorded(request);
    if (answer !== undefined) return answer;
    if (!isSignIn(request) && watch?.isInDoubt() === true && !(await watch.settle()))
      watch.refuse(request.method !== 'GET');
    const token = csrfToken();
    if (request.method !== 'GET' && token !== undefined) request.headers.set('X-Xsrf-Token', token);
    return request;
  },
  onResponse({ request, response }) {
    // Who does not answer now is asked again before the next request.
    if (response.status === 401 && !isSignIn(request)) watch?.settle().catch(() => undefined);
    return response;
  },
};

const address = {
  baseUrl: '/',
  querySerializer: { array: { style: 'form', explode: false } },
} as const;

/** The management API, typed by its OpenAPI document. */
export const api = createClient<paths>(address);
/** The same for who asks about the session itself. */
export const bare = createClient<paths>(address);
api.use(session);

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The result of a call. Errors: {@link Problem}, whatever was refused. */
export async function answerOf<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data } = await taggedAnswerOf(call);
  return data;
}

/** The result of a call with its ETag, which names the state that a change is meant for. Errors: {@link Problem}. */
export async function taggedAnswerOf<T>(
  call: Promise<Answer<T>>,
): Promise<{ readonly data: T; readonly tag: string | undefined }> {
  const { data, error, response } = await call;
  if (response.ok) return { data: data as T, tag: response.headers.get('etag') ?? undefined };
  const transaction = response.headers.get('x-transaction-id') ?? undefined;
  const retryAtMs = retryAtMsOf(response.headers.get('retry-after'));
  if (isErrorBody(error)) throw new Problem(error, transaction, retryAtMs);
  const message = `Somebody between this page and the control plane answered with ${response.status}.`;
  throw new Problem(
    {
      httpStatus: response.status,
      message,
      technicalCode: 'console.foreign_answer',
      parameters: {},
      details: [],
    },
    transaction,
    retryAtMs,
  );
}

/** The header of a change that is refused, with status 412, where another state stands than the one of that ETag. */
export const ifMatch = (tag: string | undefined): { readonly 'if-match'?: string } =>
  tag === undefined ? {} : { 'if-match': tag };

/** In seconds, as we write it; a date, as somebody between may, is passed over. */
function retryAtMsOf(header: string | null): number {
  const seconds = Number(header ?? 0);
  return seconds > 0 ? now() + seconds * 1_000 : 0;
}

function isErrorBody(error: unknown): error is Schemas['Error'] {
  return typeof error === 'object' && error !== null && 'technicalCode' in error && 'details' in error;
}
