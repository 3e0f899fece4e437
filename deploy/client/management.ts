import { randomUUID } from 'node:crypto';
import { z } from 'zod';

import { Fault } from '../../proto/faults/fault.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import {
  createOutbound,
  type Outbound,
  type OutboundRequest,
  toOutboundOptions,
} from '../../proto/process/outbound/outbound.ts';
import { outboundSettings } from '../../proto/process/outbound/settings.ts';

/** So long one call takes at most, with its answer; of a stream its head. */
const callMsMax = 60_000;
/** So long, and so much, a stream goes on at most. */
const streamMsMax = 86_400_000;
const streamBytesMax = 2 ** 40;

/** What signs a call in. */
export type Credential = { readonly token: string } | { readonly user: string; readonly password: string };

/** One call of the management API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /management, e.g. /v2/environments/DEFAULT/apis. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What the object was when it was read: who changed it since is not overwritten. */
  readonly ifMatch?: string | undefined;
}

/** What a call gave. */
export interface Answer {
  readonly status: number;
  /** Undefined where there is none. */
  readonly body: unknown;
  /** What of the query was without effect. */
  readonly warning: string | undefined;
  /** The version of the object, where it has one. */
  readonly etag?: string | undefined;
}

/** What {@link Management.open} gave: a body of JSON, or whatever else as it comes. */
export type Opened = { readonly warning: string | undefined } & (
  | { readonly body: unknown; readonly stream?: undefined }
  | { readonly stream: AsyncIterable<Uint8Array> }
);

const refusalSchema = z.object({
  message: z.string().optional(),
  technicalCode: z.string().optional(),
  parameters: z.object({ hint: z.string().optional() }).optional().catch(undefined),
  details: z.array(z.object({ message: z.string(), location: z.string().optional() })).optional(),
});

/** Speaks to the management API of one control plane; see {@link withManagement}. */
export class Management {
  readonly #outbound: Pick<Outbound, 'request'>;
  readonly #url: string;
  readonly #authorization: string;
  readonly #credential: Credential;

  constructor(outbound: Pick<Outbound, 'request'>, url: string, credential: Credential) {
    this.#outbound = outbound;
    this.#url = url.replace(/\/+$/, '');
    this.#credential = credential;
    this.#authorization =
      'token' in credential
        ? `Bearer ${credential.token}`
        : `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`;
  }

  /**
   * Makes a call; redirects are not followed, since they would take the credential elsewhere.
   *
   * Errors: client.unreachable; client.not_found for 404; client.refused with the words of the control plane for what is no 2xx, and its
   * `technicalCode` among the parameters.
   */
  call(call: Call): Promise<Answer> {
    return madeOnce(call, (key) => this.#answered(call, key));
  }

  /**
   * Makes a call whose answer may be something else than JSON, such as an export or a live stream, which is given as it comes.
   *
   * Errors: as {@link call}; also client.unreachable when the head does not come in time, or the stream breaks.
   */
  open(call: Call): Promise<Opened> {
    return madeOnce(call, (key) => this.#opened(call, key));
  }

  async #answered(call: Call, key: string | undefined): Promise<Answer> {
    const url = this.#urlOf(call);
    const asking = { timeoutMs: callMsMax, accept: 'application/json', key };
    const { status, headers, ...answer } = await this.#asked(url, call, asking);
    const text = await this.#reading(() => answer.text());
    if (status < 200 || status > 299) throw this.#refusal(call, status, text);
    const body = text === '' ? undefined : bodyOf(text, url);
    return { status, body, warning: wordsOf(headers['warning']), etag: headers['etag'] };
  }

  async #opened(call: Call, key: string | undefined): Promise<Opened> {
    const url = this.#urlOf(call);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Fault('outbound.timeout')), callMsMax).unref();
    const { status, headers, ...answer } = await this.#asked(url, call, {
      timeoutMs: streamMsMax,
      bodyBytesMax: streamBytesMax,
      signal: late.signal,
      accept: '*/*',
      key,
    }).finally(() => clearTimeout(timer));
    const warning = wordsOf(headers['warning']);
    const text = (): Promise<string> => this.#reading(() => answer.text());
    if (status < 200 || status > 299) throw this.#refusal(call, status, await text());
    const type = headers['content-type'] ?? 'application/json';
    // A page for browsers is what everything but a control plane answers with.
    if (!/^(application\/json|text\/html)\b/.test(type)) return { warning, stream: answer.stream };
    const whole = await text();
    return { warning, body: whole === '' ? undefined : bodyOf(whole, url) };
  }

  #urlOf({ path, query = {} }: Call): URL {
    const url = new URL(`${this.#url}/management${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
    return url;
  }

  #asked(url: URL, { method, body, ifMatch }: Call, { accept, key, ...bounds }: Asking) {
    return this.#reading(() =>
      this.#outbound.request(url.href, {
        ...bounds,
        method,
        headers: {
          authorization: this.#authorization,
          accept,
          'user-agent': 'isthmus-cli',
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(ifMatch !== undefined && { 'if-match': ifMatch }),
          ...(body !== undefined && { 'content-type': typeOf(method, body) }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Fault(error.code === 'outbound.too_large' ? 'client.refused' : 'client.unreachable', {
        detail:
          error.code === 'outbound.too_large'
            ? error.detail
            : `The control plane at ${this.#url} does not answer: ${error.detail}`,
        internal: error.internal,
        cause: error,
      });
    }
  }

  #refusal({ method, path }: Call, status: number, text: string): Fault {
    const said = refusalSchema.safeParse(jsonIn(text));
    const { message, technicalCode, parameters, details } = said.success ? said.data : {};
    const code = technicalCode === undefined ? '' : `, ${technicalCode}`;
    const words = message ?? 'The control plane refused without a word of why.';
    // What else a 401 can be (a code is wanted) has words of its own.
    const isUnknown =
      status !== 401 || technicalCode === undefined || technicalCode === 'request.unauthorized';
    const hint = (isUnknown ? hintOf(status, this.#credential) : undefined) ?? parameters?.hint;
    return new Fault(status === 404 ? 'client.not_found' : 'client.refused', {
      detail: `${words} (${method} ${path}: ${status}${code})`,
      ...(technicalCode !== undefined && { parameters: { technicalCode } }),
      ...(hint !== undefined && { hint }),
      details: (details ?? []).map(({ message: what, location }) => ({
        path: location ?? '',
        message: what,
      })),
    });
  }
}

/** How a call is bounded, and what it says of itself. */
type Asking = Pick<OutboundRequest, 'timeoutMs' | 'bodyBytesMax' | 'signal'> & {
  readonly accept: string;
  readonly key: string | undefined;
};

/** Of a PATCH it says whether it is a merge or a list of operations. */
const typeOf = (method: Call['method'], body: unknown): string => {
  if (method !== 'PATCH') return 'application/json';
  return `application/${Array.isArray(body) ? 'json-patch' : 'merge-patch'}+json`;
};

/** Of `299 - "words"` it is the words. */
const wordsOf = (warning: string | undefined): string | undefined =>
  warning === undefined ? undefined : (/"(.*)"/.exec(warning)?.[1] ?? warning);

/** What to do about a status, where what the control plane says is not meant for who types commands. */
function hintOf(status: number, credential: Credential): string | undefined {
  if (status === 412) return 'Somebody changed it meanwhile: try again.';
  if (status >= 300 && status < 400)
    return 'It wants to redirect, which is not followed: give the URL that it leads to.';
  if (status !== 401) return undefined;
  return 'token' in credential
    ? 'The token has ended or was revoked: sign in again with `isthmus login`.'
    : 'Check the name of the user and the password.';
}

/**
 * Speaks to a control plane for as long as `use` takes: by the proxy of HTTPS_PROXY, where there is one. Its address is the word of whoever typed
 * the command, wherever it points.
 */
export async function withManagement<Done>(
  url: string,
  credential: Credential,
  use: (management: Management) => Promise<Done>,
): Promise<Done> {
  const options = toOutboundOptions(outboundSettings.parse({}), 'private');
  const outbound = createOutbound({ ...options, allow: [url] });
  try {
    return await use(new Management(outbound, url, credential));
  } finally {
    await outbound.close();
  }
}

/** A creation whose connection broke is sent once more, under the same key: made it is made once, whichever of the two arrived. */
async function madeOnce<Made>(
  { method }: Call,
  make: (key: string | undefined) => Promise<Made>,
): Promise<Made> {
  const key = method === 'POST' ? randomUUID() : undefined;
  try {
    return await make(key);
  } catch (error) {
    if (key === undefined || !isBroken(error)) throw error;
    return make(key);
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof Fault && error.cause instanceof Fault && error.cause.code === 'outbound.unreachable';

function bodyOf(text: string, url: URL): unknown {
  const body = jsonIn(text);
  if (body !== undefined) return body;
  throw new Fault('client.refused', {
    detail: `What answers at ${url.origin} is no management API: its answer is not JSON.`,
    hint: 'The URL is that of the control plane, e.g. https://manage.example.com, without /management.',
  });
}

/** Undefined where the text is no JSON. */
function jsonIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
