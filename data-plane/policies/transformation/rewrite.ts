import type { HeaderList } from '../../http/exchange.ts';
import { TransformFailure } from '../../transform/failure.ts';
import type { Verdict, PolicyCall, PolicyPlace, PolicyRequest, PolicyResponse, PolicyOf } from '../policy.ts';
import { CONTINUE } from '../policy.ts';
import { sayReplaced, tellsOfAnother } from './replaced.ts';

/** A body as it is rewritten: what it becomes, or why it cannot. */
export type Rewritten =
  | { readonly kind: 'made'; readonly content: string | Uint8Array }
  | { readonly kind: 'untouched' }
  /** Nobody waits for it any more. */
  | { readonly kind: 'gone' }
  /** `isBodys`: for what the body is, and not for how it is to be rewritten. */
  | { readonly kind: 'failed'; readonly why: string; readonly isBodys?: boolean | undefined };

/** How a policy rewrites bodies of its phase. */
export interface Rewriting {
  readonly place: PolicyPlace;
  /** What a body ends with that cannot be rewritten; its key is that of the warning. */
  readonly refusal: Extract<Verdict, { readonly kind: 'reject' }>;
  /** What a rewritten body is; undefined where it stays what it says. */
  readonly contentType: string | undefined;
  /** Whose bodies it is for, by their headers; others pass unread, but for parts (206), which nobody lets by. Default: all. */
  readonly concerns?: (headers: HeaderList) => boolean;
  /** Whether what is empty is rewritten too. Default: it stays empty. */
  readonly isForEmpty?: boolean;
  readonly rewrite: (
    content: Uint8Array,
    headers: HeaderList,
    call: PolicyCall,
  ) => Rewritten | Promise<Rewritten>;
}

/** The hook of a policy that puts another body in the place of the one that came, whole. */
export function rewriting(how: Rewriting): PolicyOf<undefined> {
  const { concerns = () => true } = how;
  return how.place.phase === 'request'
    ? {
        request: {
          needs: 'buffered',
          concerns: ({ request }) => concerns(request.headers),
          run: (call) => rewrite(call, call.request, how),
        },
      }
    : {
        response: {
          needs: 'buffered',
          concerns: ({ response }) => [206, 304].includes(response.status) || concerns(response.headers),
          run: (call) => rewrite(call, call.response, how),
        },
      };
}

function rewrite(
  call: PolicyCall,
  of: PolicyRequest | PolicyResponse,
  how: Rewriting,
): Verdict | Promise<Verdict> {
  const { content = new Uint8Array(), headers } = of;
  const say = (): void => {
    headers.delete('content-encoding');
    sayReplaced(of);
    const isTyped = how.contentType !== undefined && !('status' in of && of.status === 304);
    if (isTyped) headers.set('Content-Type', how.contentType);
  };
  if (content.length === 0 && tellsOfAnother(call, of)) {
    say();
    return CONTINUE;
  }
  if (content.length === 0 && how.isForEmpty !== true) return CONTINUE;
  const encoding = headers.get('content-encoding') ?? 'identity';
  const finish = (made: Rewritten): Verdict => {
    if (made.kind === 'untouched') return CONTINUE;
    if (made.kind === 'gone') return how.refusal;
    if (made.kind === 'failed') {
      const isCallers = made.isBodys === true && how.place.phase === 'request';
      call.warn(how.refusal.key, made.why, { isCallers });
      return how.refusal;
    }
    of.content = typeof made.content === 'string' ? Buffer.from(made.content) : made.content;
    say();
    return CONTINUE;
  };
  if (encoding.toLowerCase() !== 'identity' && content.length > 0)
    return finish({ kind: 'failed', why: `the body is of Content-Encoding ${encoding}`, isBodys: true });
  const made = how.rewrite(content, headers, call);
  return made instanceof Promise ? made.then(finish) : finish(made);
}

/**
 * The body as text, in the charset that its Content-Type says, else UTF-8.
 *
 * Returns undefined for a charset that is unknown, and for bytes that are no text in it.
 */
export function textOfBody(content: Uint8Array, headers: HeaderList): string | undefined {
  const [, charset = 'utf-8'] =
    /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers.get('content-type') ?? '') ?? [];
  try {
    return new TextDecoder(charset, { fatal: true }).decode(content);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Makes a body; what a TransformFailure says is why there is none. */
export function attempt(make: () => string): Rewritten {
  try {
    return { kind: 'made', content: make() };
  } catch (error) {
    if (error instanceof TransformFailure)
      return { kind: 'failed', why: `the body ${error.message}`, isBodys: true };
    throw error;
  }
}
