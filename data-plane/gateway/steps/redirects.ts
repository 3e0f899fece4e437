import { configurationOf, type ApiDefinition } from '../../../proto/model/api.ts';
import type { HeaderList } from '../../http/exchange.ts';
import type { Endpoint } from '../../endpoints/group.ts';
import type { BackendAnswer, PolicyCall } from '../../policies/policy.ts';
import { lineOf } from '../call/send.ts';
import type { Step } from '../compile/step.ts';

/** Most redirects that one call follows, as the reference's client; the one after that is the answer. */
const redirectsMax = 16;
const statuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What a caller proves itself with is for the origin that it was sent to. */
const ownToOrigin = ['authorization', 'cookie', 'proxy-authorization'];
const endpointAttribute = 'request.endpoint';

/** A request whose answer may point elsewhere. */
export interface RedirectedCall extends PolicyCall {
  /** The one that was called last. */
  readonly endpoint: Endpoint | undefined;
  /** Whether the next call goes to another origin than its endpoint's, which gets none of the endpoint's headers. */
  isElsewhere: boolean;
}

/**
 * Makes the innermost step around the backend of an API with endpoints that follow redirects; undefined for one without.
 *
 * GET and HEAD follow 301, 302, 303, 307 and 308, and any method follows 303 as a GET without a body. Where it leads is called as a route to
 * that URL is: only where the gateway may call. Source: the reference's client, except that another origin gets neither the caller's
 * credentials nor the endpoint's headers.
 */
export function createRedirects({ endpointGroups }: ApiDefinition): Step | undefined {
  const isFollowing = endpointGroups.some((group) =>
    group.endpoints.some((endpoint) => configurationOf(group, endpoint).http.followRedirects),
  );
  if (!isFollowing) return undefined;
  return {
    policy: { around: { needs: 'head', run: follow } },
    kind: 'redirects',
    at: 'endpointGroups',
    readsRequest: false,
    readsResponse: false,
    keptAt: undefined,
    gate: undefined,
  };
}

async function follow(call: RedirectedCall, next: () => Promise<BackendAnswer>): Promise<BackendAnswer> {
  let answer = await next();
  const first = call.endpoint;
  let target = first?.followsRedirects === true ? redirectOf(answer, call) : undefined;
  if (first === undefined || target === undefined) return answer;
  const { request, attributes } = call;
  const { method, query, content } = request;
  const route = attributes.get(endpointAttribute);
  const origin = new URL(first.url).origin;
  const hidden: (readonly [name: string, value: string])[] = [];
  try {
    for (let count = 0; target !== undefined && count < redirectsMax; count += 1) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        request.method = 'GET';
        request.content = nothing;
      }
      if (target.origin !== origin && !call.isElsewhere) {
        call.isElsewhere = true;
        hidden.push(...taken(request.headers));
      }
      request.query = undefined;
      attributes.set(endpointAttribute, target.href);
      answer = await next();
      target = redirectOf(answer, call);
    }
    return answer;
  } finally {
    // What comes after the call sees the request as its steps left it.
    request.method = method;
    request.query = query;
    request.content = content;
    call.isElsewhere = false;
    for (const [name, value] of hidden) request.headers.append(name, value);
    if (route === undefined) attributes.delete(endpointAttribute);
    else attributes.set(endpointAttribute, route);
  }
}

const nothing = new Uint8Array(0);

/** Takes a caller's credentials out of the headers. */
function taken(headers: HeaderList): readonly (readonly [name: string, value: string])[] {
  const found = ownToOrigin.flatMap((name) => headers.getAll(name).map((value) => [name, value] as const));
  for (const name of ownToOrigin) headers.delete(name);
  return found;
}

/** Where an answer sends the request; undefined for one that sends it nowhere, or not with this method. */
function redirectOf(answer: BackendAnswer, { request, endpoint }: RedirectedCall): URL | undefined {
  if (answer.kind !== 'response' || endpoint === undefined || !statuses.has(answer.head.status))
    return undefined;
  const isPlain = request.method === 'GET' || request.method === 'HEAD';
  if (!isPlain && answer.head.status !== 303) return undefined;
  const location = answer.head.headers.get('location');
  const asked = new URL(endpoint.url).origin + lineOf(endpoint, request);
  const url = location === undefined ? null : URL.parse(location, asked);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return undefined;
  url.hash = '';
  return url;
}
