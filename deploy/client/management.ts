import { z } from 'zod';

import { Fault } from '../../proto/faults/fault.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import type { Context } from './contexts.ts';

/** So long one call takes at most, with its answer. */
const callMsMax = 60_000;
/** So large an answer may be. */
const answerBytesMax = 64 * 1024 * 1024;

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

/** Speaks to the management API of one control plane. */
export class Management {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, credential: Credential) {
    this.#url = url.replace(/\/+$/, '');
    this.#authorization =
      'token' in credential
        ? `Bearer ${credential.token}`
        : `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`;
  }

  static of({ url, token }: Context): Management {
    return new Management(url, { token });
  }

  /**
   * Makes a call; redirects are not followed, since they would take the credential elsewhere.
   *
   * Errors: client.unreachable; client.not_found for 404; client.refused with the words of the control plane for what is no 2xx.
   */
  async call({ method, path, query, body }: Call): Promise<Answer> {
    const url = new URL(`${this.#url}/management${path}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, value);
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(url, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(callMsMax),
        headers: {
          authorization: this.#authorization,
          accept: 'application/json',
          'user-agent': 'isthmus-cli',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      text = await readBounded(answer);
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault('client.unreachable', {
        detail: `The control plane at ${this.#url} does not answer.`,
        internal: whyNot(error),
        cause: error,
      });
    }
    if (!answer.ok) throw refusal({ method, path }, answer, text);
    return {
      status: answer.status,
      body: text === '' ? undefined : bodyOf(text, url),
      warning: warningIn(answer.headers.get('warning')),
    };
  }
}

/** Of `299 - "words"` the words. */
const warningIn = (header: string | null): string | undefined =>
  header === null ? undefined : (/"(.*)"/.exec(header)?.[1] ?? header);

async function readBounded(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.byteLength;
    if (bytes > answerBytesMax)
      throw new Fault('client.refused', { detail: `The answer is larger than ${answerBytesMax} bytes.` });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

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

function refusal({ method, path }: Pick<Call, 'method' | 'path'>, answer: Response, text: string): Fault {
  const said = refusalSchema.safeParse(jsonIn(text));
  const { message, technicalCode, details } = said.success ? said.data : {};
  const code = technicalCode === undefined ? '' : `, ${technicalCode}`;
  const words = message ?? 'The control plane refused without a word of why.';
  return new Fault(answer.status === 404 ? 'client.not_found' : 'client.refused', {
    detail: `${words} (${method} ${path}: ${answer.status}${code})`,
    ...(answer.status === 401 && {
      hint: 'The token has ended or was revoked: sign in again with `isthmus login`.',
    }),
    ...(answer.status >= 300 &&
      answer.status < 400 && {
        hint: 'It wants to redirect, which is not followed: give the URL that it leads to.',
      }),
    details: (details ?? []).map(({ message: what, location }) => ({ path: location ?? '', message: what })),
  });
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `nothing came within ${callMsMax / 1_000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
