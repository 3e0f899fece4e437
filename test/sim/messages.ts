import type { Random } from '../kit/random.ts';

/**
 * Valid messages to begin with: what clients and backends of the field send, one char per byte.
 *
 * Some bodies look like requests or chunks, so that whoever loses count of them finds a message that nobody sent.
 */

const methods = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'PURGE',
] as const;
const targets = [
  '/',
  '/orders',
  '/orders/7?expand=lines&sort=-date',
  '/a/b/c',
  '/a/./b/../c',
  '/%41%7e/%2F',
  '/search?q=%20&x[]=1',
  '//double//slash',
  '/a;v=1/b',
  '/?',
  'http://fuzz.test/absolute?x=1',
] as const;
const requestFields = [
  'Accept: */*',
  'Accept-Encoding: gzip, br',
  'User-Agent: fuzz/1',
  'X-Api-Key: 0123456789abcdef',
  'Cookie: a=1; b=2',
  'Cookie: c=3',
  'Content-Type: application/json',
  'Authorization: Bearer abc.def',
  'X-Empty:',
  'X-Spaces:   padded\t ',
  'X-Latin: caf\xe9',
  'Connection: keep-alive',
  'Connection: X-Empty',
  'TE: trailers',
  'Cache-Control: no-cache',
  'Referer: http://fuzz.test/',
] as const;
const inner = [
  'GET /smuggled HTTP/1.1\r\nHost: fuzz.test\r\n\r\n',
  '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: fuzz.test\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '\r\n\r\n',
  '{"id":7,"lines":[1,2,3]}',
  'x',
] as const;

/** Makes a body of up to a few hundred bytes; one in fifty has some KiB. */
function createBody(random: Random): string {
  if (random.chance(45)) return random.pick(inner);
  const length = random.chance(2) ? random.between(1_000, 9_000) : random.between(0, 200);
  return 'abcdefghijklmnop'.repeat(Math.ceil(length / 16)).slice(0, length);
}

/** Cuts a body into chunks. Extensions and trailers are rare, as they are in the field. */
function createChunks(random: Random, body: string): string {
  let text = '';
  for (let at = 0; at < body.length;) {
    const size = random.chance(50) ? body.length - at : random.between(1, Math.min(64, body.length - at));
    const digits = random.chance(20) ? size.toString(16).toUpperCase() : size.toString(16);
    const extension = random.chance(4) ? random.pick([';a', ';a=b', ';a="q;\\"x"', ';a=b;c']) : '';
    text += `${random.chance(4) ? '00' : ''}${digits}${extension}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}0\r\n${random.chance(5) ? 'X-Sum: 7\r\n' : ''}\r\n`;
}

/** One valid request. */
export function createRequest(random: Random): string {
  const method = random.pick(methods);
  const version = random.chance(6) ? 'HTTP/1.0' : 'HTTP/1.1';
  const target = method === 'OPTIONS' && random.chance(10) ? '*' : random.pick(targets);
  const lines = [random.chance(80) ? 'Host: fuzz.test' : 'host:fuzz.test'];
  for (let count = random.below(5); count > 0; count -= 1) lines.push(random.pick(requestFields));
  if (version === 'HTTP/1.0' && random.chance(60)) lines.push('Connection: keep-alive');
  if (random.chance(3)) lines.push('Connection: close');
  const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH' || random.chance(8);
  if (!hasBody) return `${method} ${target} ${version}\r\n${lines.join('\r\n')}\r\n\r\n`;
  const body = createBody(random);
  const isChunked = version === 'HTTP/1.1' && random.chance(50);
  if (random.chance(2)) lines.push('Expect: 100-continue');
  lines.splice(
    random.below(lines.length + 1),
    0,
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`,
  );
  return `${method} ${target} ${version}\r\n${lines.join('\r\n')}\r\n\r\n${isChunked ? createChunks(random, body) : body}`;
}

const statusLines = [
  '200 OK',
  '200 OK',
  '200 OK',
  '200 OK',
  '200 ',
  '201 Was Made',
  '204 No Content',
  '301 Moved Permanently',
  '304 Not Modified',
  '404 Not Found',
  '500 Caf\xe9',
  '503 Service Unavailable',
] as const;
const responseFields = [
  'Content-Type: application/json',
  'Date: Thu, 01 Jan 2026 00:00:00 GMT',
  'Server: fuzz',
  'Set-Cookie: a=1',
  'set-cookie: b=2; Path=/',
  'ETag: "7"',
  'X-Empty:',
  'X-Latin: caf\xe9',
  'Connection: keep-alive',
  'Keep-Alive: timeout=5',
  'Cache-Control: no-store',
  'Vary: Accept',
] as const;

/** One valid answer to a request of that method; `needsClose` when only the end of the connection ends it. */
export function createResponse(
  random: Random,
  method: string,
): { readonly text: string; readonly needsClose: boolean } {
  const status = random.pick(statusLines);
  const version = random.chance(6) ? 'HTTP/1.0' : 'HTTP/1.1';
  const early = random.chance(4) ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : '';
  const lines: string[] = [];
  for (let count = random.below(5); count > 0; count -= 1) lines.push(random.pick(responseFields));
  const isBodiless = method === 'HEAD' || status.startsWith('204') || status.startsWith('304');
  const body = isBodiless ? '' : createBody(random);
  const draw = random.below(100);
  const framing = draw < 45 ? 'length' : draw < 85 && version === 'HTTP/1.1' ? 'chunked' : 'close';
  if (framing === 'close') lines.push('Connection: close');
  if (framing !== 'close' && !status.startsWith('204'))
    lines.splice(
      random.below(lines.length + 1),
      0,
      framing === 'chunked'
        ? 'Transfer-Encoding: chunked'
        : `Content-Length: ${isBodiless ? 5 : body.length}`,
    );
  const payload = isBodiless ? '' : framing === 'chunked' ? createChunks(random, body) : body;
  const head = [`${version} ${status}`, ...lines].join('\r\n');
  return { text: `${early}${head}\r\n\r\n${payload}`, needsClose: framing === 'close' && !isBodiless };
}
