import { invariant } from '../../../proto/faults/fault.ts';
import type { HeaderList, UpstreamOptions, UpstreamRequest } from '../exchange.ts';
import { kinds } from '../message/field-kind.ts';
import { passableProtocols } from '../message/upgrade.ts';
import { wireHeadersOf } from '../message/wire-headers.ts';
import type { Dialer } from './dial.ts';

// RFC 9110 section 8.6: methods that anticipate a body say so when there is none.
const anticipatesBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const forbiddenInTarget = /[^\x21-\x7e]/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** How requests to one upstream are spelled. */
export interface RequestSpelling {
  readonly options: UpstreamOptions;
  readonly dialer: Dialer;
  /** Before every target when the next hop is a proxy that wants absolute-form, else empty. */
  readonly origin: string;
}

/** Takes an upstream's options apart once. */
export function createSpelling(options: UpstreamOptions, dialer: Dialer): RequestSpelling {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { options, dialer, origin: dialer.usesAbsoluteForm ? `http://${host}:${options.port}` : '' };
}

/**
 * The head of a request, with its empty line: what goes on of its headers, then framing made anew from its body.
 *
 * Throws a TypeError when a policy made a method or target that would be another request on the wire.
 */
export function requestHeadText(
  request: UpstreamRequest,
  { options, dialer, origin }: RequestSpelling,
): string {
  judgeRequestLine(request);
  const { method, target, isUpgrade } = request;
  const headers = wireHeadersOf(request.headers);
  // An upgrade goes through a tunnel (see dial.ts), to the upstream itself.
  let text = `${method} ${isUpgrade ? '' : origin}${target} HTTP/1.1\r\n${headers.forwardable()}`;
  text += framingLines(request);
  if (isUpgrade) text += upgradeLines(request);
  // RFC 9110 section 10.1.4: of all that TE can say only `trailers` survives a hop.
  else if (headers.mayHave(kinds.te) && takesTrailers(headers))
    text += options.keepAlive
      ? 'TE: trailers\r\nConnection: TE\r\n'
      : 'TE: trailers\r\nConnection: TE, close\r\n';
  else if (!options.keepAlive) text += 'Connection: close\r\n';
  if (dialer.proxyAuthorization !== undefined && !isUpgrade)
    text += `Proxy-Authorization: ${dialer.proxyAuthorization}\r\n`;
  return `${text}\r\n`;
}

/** Throws a TypeError when a policy made a method or target that would be another request on the wire. */
export function judgeRequestLine({ method, target }: Pick<UpstreamRequest, 'method' | 'target'>): void {
  if (forbiddenInTarget.test(target) || !(target.startsWith('/') || target === '*'))
    throw new TypeError('the target of a request holds a forbidden character');
  if (!token.test(method)) throw new TypeError('the method of a request is no token');
}

/** Whether TE says that trailers are read. */
export function takesTrailers(headers: HeaderList): boolean {
  return /(?:^|[, ])trailers(?:[, ]|$)/i.test(headers.getAll('te').join(','));
}

function framingLines({ body, headers, method }: UpstreamRequest): string {
  const length = body === undefined ? 0 : body.length;
  if (length === 0) return anticipatesBody.has(method) ? 'Content-Length: 0\r\n' : '';
  if (length !== undefined) return `Content-Length: ${length}\r\n`;
  invariant(body !== undefined && 'pipe' in body, 'a body can be piped');
  let lines = '';
  for (const value of headers.getAll('trailer')) lines += `Trailer: ${value}\r\n`;
  return `${lines}Transfer-Encoding: chunked\r\n`;
}

/** The protocols that a request offers its upstream. */
export function offersOf({ headers, exchange }: UpstreamRequest): readonly string[] {
  const own = headers.getAll('upgrade');
  return passableProtocols(own.length > 0 ? own : exchange.request.headers.getAll('upgrade'));
}

function upgradeLines(request: UpstreamRequest): string {
  const offers = offersOf(request);
  return offers.length === 0 ? '' : `Connection: Upgrade\r\nUpgrade: ${offers.join(', ')}\r\n`;
}
