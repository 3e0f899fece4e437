import { calledUrlOf } from '../../endpoints/called-url.ts';
import type { Endpoint } from '../../endpoints/group.ts';
import type { HeaderList, UpstreamResult } from '../../http/exchange.ts';
import type { Sendable } from '../steps/around.ts';
import { lineOf, sendTo, type SendingTo } from './send.ts';

/** Most redirects that one call follows, as the reference's client; the one after that is the answer. */
const redirectsMax = 16;
const statuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/**
 * What another origin gets of a request. A list of what may go, since nobody knows under which names callers, steps and endpoints send what
 * they prove themselves with.
 */
const forOthers: ReadonlySet<string> = new Set(
  (
    'accept accept-charset accept-encoding accept-language cache-control if-match if-modified-since if-none-match if-range if-unmodified-since ' +
    'pragma range traceparent tracestate user-agent x-gravitee-request-id x-gravitee-transaction-id'
  ).split(' '),
);
const nothing = new Uint8Array(0);

/** Who follows. */
export interface Following {
  readonly receive: (result: UpstreamResult) => void;
  /** The endpoint's way to a URL; undefined where the gateway may not call. */
  readonly toward: (endpoint: Endpoint, url: URL) => Endpoint | undefined;
  /** Whether somebody still waits for the answer: an attempt that was given up goes nowhere any more. */
  readonly isWanted: () => boolean;
  /** Told whom the request goes to next. */
  readonly onHop: (endpoint: Endpoint) => void;
}

/**
 * Sends a request to an endpoint whose redirects are followed, and on to where its answers point.
 *
 * GET and HEAD follow 301, 302, 303, 307 and 308, and any method follows 303 as a GET without a body; a redirect to where the gateway may not
 * call is the answer. Nothing of the request in hand changes: each hop is a request of its own, so that attempts know nothing of each other.
 * Source: the reference's client, except that another origin gets but what is of no secret (`forOthers`), and nothing that the endpoint sets.
 */
export function sendFollowing(
  to: SendingTo,
  sendable: Sendable,
  { receive, toward, isWanted, onHop }: Following,
): void {
  const { endpoint } = to;
  if (sendable.exchange.request.isUpgrade) return sendTo(to, sendable, receive);
  const origin = calledUrlOf(endpoint.url).url.origin;
  let count = 0;
  const send = (at: SendingTo, asked: Sendable): void => {
    // As it is before the endpoint's headers are set on it.
    const next = copied(asked);
    sendTo(at, asked, (result) => {
      const url = count < redirectsMax ? redirectOf(result, asked, at.endpoint) : undefined;
      const way = url === undefined || !isWanted() ? undefined : toward(at.endpoint, url);
      if (url === undefined || way === undefined || result.kind !== 'response') return receive(result);
      count += 1;
      result.body.discard();
      onHop(way);
      const isElsewhere = url.origin !== origin;
      const hop = isElsewhere
        ? { ...to, host: undefined, endpoint: { ...way, headers: [], propagatesHost: false } }
        : { ...to, endpoint: way };
      send(hop, redirected(next, isElsewhere));
    });
  };
  send(to, sendable);
}

/** The same request with headers of its own. */
function copied({ exchange, request, body }: Sendable, isKept?: (lowerName: string) => boolean): Sendable {
  const headers: HeaderList = exchange.createHeaders();
  request.headers.forEach((name, value) => {
    if (isKept === undefined || isKept(name.toLowerCase())) headers.append(name, value);
  });
  return { exchange, request: { ...request, headers }, body };
}

function redirected(asked: Sendable, isElsewhere: boolean): Sendable {
  const { exchange, request, body } = copied(asked, isElsewhere ? (name) => forOthers.has(name) : undefined);
  const isPlain = request.method === 'GET' || request.method === 'HEAD';
  return {
    exchange,
    request: {
      ...request,
      query: undefined,
      ...(!isPlain && { method: 'GET', content: nothing }),
    },
    body,
  };
}

/** Where an answer sends the request; undefined for one that sends it nowhere, or not with this method. */
function redirectOf(result: UpstreamResult, { request }: Sendable, endpoint: Endpoint): URL | undefined {
  if (result.kind !== 'response' || !statuses.has(result.head.status)) return undefined;
  const isPlain = request.method === 'GET' || request.method === 'HEAD';
  if (!isPlain && result.head.status !== 303) return undefined;
  const location = result.head.headers.get('location');
  const asked = calledUrlOf(endpoint.url).url.origin + lineOf(endpoint, request);
  const url = location === undefined ? null : URL.parse(location, asked);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return undefined;
  url.hash = '';
  return url;
}
