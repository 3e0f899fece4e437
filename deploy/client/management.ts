import { randomUUID } from 'node:crypto';
import { z } from 'zod';

import { Fault } from '../../proto/faults/fault.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import { createOutbound, type Outbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { outboundSettings } from '../../proto/process/outbound/settings.ts';

/** So long one call takes at most, with its answer. */
const callMsMax = 60_000;

/** What signs a call in. */
export type Credential = { readonly token: string } | { readonly user: string; readonly password: string };

/** One call of the management API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below /management, e.g. /v2/environments/DEFAULT/apis. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What a call gave. */
export interface Answer {
  readonly status: number;
  /** Undefined where there is none. */
  readonly body: unknown;
  /** What of the query was without effect. */
  readonly warning: string | undefined;
}

const refusalSchema = z.object({
  message: z.string().optional(),
  technicalCode: z.string().optional(),
  details: z.array(z.object({ message: z.string(), location: z.string().optional() })).optional(),
});

/** Speaks to the management API of one control plane; see {@link withManagement}. */
export class Management {
  readonly #outbound: Pick<Outbound, 'request'>;
  readonly #url: string;
  readonly #authorization: string;

  constructor(outbound: Pick<Outbound, 'request'>, url: string, credential: Credential) {
    this.#outbound = outbound;
    this.#url = url.replace(/\/+$/, '');
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
  async call({ method, path, query, body }: Call): Promise<Answer> {
    const url = new URL(`${this.#url}/management${path}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, value);
    const { status, warning, text } = await this.#answeredOnce(url, method, body);
    if (status < 200 || status > 299) throw refusal({ method, path }, status, text);
    return {
      status,
      body: text === '' ? undefined : bodyOf(text, url),
      warning: warning === undefined ? undefined : (/"(.*)"/.exec(warning)?.[1] ?? warning),
    };
  }

  /** A creation whose connection broke is sent once more, under the same key: made it is made once, whichever of the two arrived. */
  async #answeredOnce(url: URL, method: string, body: unknown) {
    const key = method === 'POST' ? randomUUID() : undefined;
    try {
      return await this.#answered(url, method, { body, key });
    } catch (error) {
      if (key === undefined || !isBroken(error)) throw error;
      return this.#answered(url, method, { body, key });
    }
  }

  async #answered(
    url: URL,
    method: string,
    { body, key }: { readonly body: unknown; readonly key: string | undefined },
  ) {
    try {
      const { status, headers, ...answer } = await this.#outbound.request(url.href, {
        method,
        timeoutMs: callMsMax,
        headers: {
          authorization: this.#authorization,
          accept: 'application/json',
          'user-agent': 'isthmus-cli',
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      // Of `299 - "words"` it is the words.
      return { status, warning: headers['warning'], text: await answer.text() };
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

function refusal({ method, path }: Pick<Call, 'method' | 'path'>, status: number, text: string): Fault {
  const said = refusalSchema.safeParse(jsonIn(text));
  const { message, technicalCode, details } = said.success ? said.data : {};
  const code = technicalCode === undefined ? '' : `, ${technicalCode}`;
  const words = message ?? 'The control plane refused without a word of why.';
  return new Fault(status === 404 ? 'client.not_found' : 'client.refused', {
    detail: `${words} (${method} ${path}: ${status}${code})`,
    ...(technicalCode !== undefined && { parameters: { technicalCode } }),
    ...(status === 401 && {
      hint: 'The token has ended or was revoked: sign in again with `isthmus login`.',
    }),
    ...(status >= 300 &&
      status < 400 && {
        hint: 'It wants to redirect, which is not followed: give the URL that it leads to.',
      }),
    details: (details ?? []).map(({ message: what, location }) => ({ path: location ?? '', message: what })),
  });
}
