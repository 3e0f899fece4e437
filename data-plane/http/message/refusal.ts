/**
 * Everything that this engine refuses in a request, with its status and the section that justifies it.
 *
 * Shape: reason -> { status, section }. A refused request is answered with that status and the connection is closed: after
 * something ambiguous nobody can say where the next request begins (RFC 9112 section 11.2).
 */
export const refusals = {
  // Request line.
  'empty-line': {
    status: 400,
    section: 'RFC 9112 2.2: one empty line before a request is forgiven, not two',
  },
  'line-ending': { status: 400, section: 'RFC 9112 2.2: a bare CR or LF ends no line' },
  method: { status: 400, section: 'RFC 9110 9.1: a method is a token' },
  connect: { status: 405, section: 'RFC 9110 9.3.6: this is no forward proxy' },
  'request-line': {
    status: 400,
    section: 'RFC 9112 3: method SP target SP version, single spaces, nothing else',
  },
  version: { status: 400, section: 'RFC 9112 2.3: HTTP/1.0 or HTTP/1.1; no HTTP/0.9' },
  'version-unsupported': { status: 505, section: 'RFC 9110 15.6.6: another version of HTTP, well formed' },
  'request-line-too-long': { status: 414, section: 'RFC 9112 3: setting requestLineBytesMax' },
  'target-character': {
    status: 400,
    section: 'RFC 9112 3.2, RFC 3986: visible ASCII but # and \\',
  },
  'target-form': {
    status: 400,
    section: 'RFC 9112 3.2: origin-form, absolute-form http(s), or * with OPTIONS',
  },
  'percent-encoding': { status: 400, section: 'RFC 3986 2.1: % and two hexadecimal digits, in the path' },
  'null-byte': { status: 400, section: 'RFC 3986 7.3: %00 in the path' },
  'encoded-slash': { status: 400, section: 'RFC 3986 2.2: %2F or %5C in the path, by setting' },
  // Header section.
  'obs-fold': { status: 400, section: 'RFC 9112 5.2: a line that begins with white space' },
  'field-name': { status: 400, section: 'RFC 9112 5.1: a token right before the colon' },
  'field-value': { status: 400, section: 'RFC 9110 5.5: no control bytes but HTAB' },
  'headers-too-large': { status: 431, section: 'RFC 6585 5: setting headerBytesMax' },
  'too-many-headers': { status: 431, section: 'RFC 6585 5: setting headersMax' },
  'header-alias': {
    status: 400,
    section: 'a name with another mark than - (X_A, X.A) beside its twin: servers behind make one of them',
  },
  'host-missing': { status: 400, section: 'RFC 9112 3.2' },
  'host-repeated': { status: 400, section: 'RFC 9112 3.2' },
  'host-malformed': { status: 400, section: 'RFC 9110 7.2, RFC 3986 3.2.2' },
  'host-mismatch': { status: 400, section: 'RFC 9112 3.2.2: the authority of the target against Host' },
  'duplicate-authorization': { status: 400, section: 'RFC 9110 11.6.2: one set of credentials' },
  'content-length': { status: 400, section: 'RFC 9112 6.3: digits that fit 2^53 - 1' },
  'content-length-repeated': { status: 400, section: 'RFC 9112 6.3: one line with one value' },
  'content-length-and-transfer-encoding': { status: 400, section: 'RFC 9112 6.3' },
  'transfer-encoding': { status: 400, section: 'RFC 9112 6.1: one final chunked and nothing else' },
  'transfer-encoding-version': { status: 400, section: 'RFC 9112 6.1: no transfer coding in HTTP/1.0' },
  expectation: { status: 417, section: 'RFC 9110 10.1.1: 100-continue and nothing else' },
  // Body.
  'body-too-large': { status: 413, section: 'RFC 9110 15.5.14: setting bodyBytesMax' },
  'chunk-size': { status: 400, section: 'RFC 9112 7.1: 1 to 13 hexadecimal digits' },
  'chunk-extension': {
    status: 400,
    section: 'RFC 9112 7.1.1: tokens and quoted strings, 256 bytes a chunk, 4 KiB a body',
  },
  'chunk-data': { status: 400, section: 'RFC 9112 7.1: CRLF after exactly the announced bytes' },
  'trailer-field': {
    status: 400,
    section: 'RFC 9110 6.5.1: fields of framing, routing and authentication are no trailers',
  },
  // Patience and capacity.
  'header-timeout': { status: 408, section: 'RFC 9110 15.5.9: setting headerMsMax' },
  'body-too-slow': { status: 408, section: 'RFC 9110 15.5.9: setting bodyBytesPerSecondMin' },
  'stream-idle': {
    status: 408,
    section:
      'RFC 9110 15.5.9: setting tunnelIdleMsMax, of an exchange in which both sides speak; the stream of HTTP/2 or the connection is reset where the answer has begun',
  },
  overloaded: { status: 503, section: 'RFC 9110 15.6.4: setting eventLoopLagMsMax' },
  'tls-handshake': { status: 0, section: 'RFC 8446: failed, broken off or too slow; no answer can be given' },
  'plain-http': {
    status: 400,
    section: 'RFC 9110 4.2.2: a request in clear text at a port of TLS, where OpenSSL knows its method',
  },
  'client-certificate': {
    status: 0,
    section:
      'RFC 8446 4.4.2.4: a certificate of the client that is not trusted, or none where one is required',
  },
  'http2-error': {
    status: 0,
    section:
      'RFC 9113 5.4.1: bytes that are no HTTP/2, or break its rules or a bound of its frames; the connection ends',
  },
  'http2-flood': {
    status: 0,
    section:
      'RFC 9113 10.5: settings cancelsMax, cancelsPerSecondMax, controlFramesPerSecondMax; the connection ends (ENHANCE_YOUR_CALM)',
  },
  'too-many-connections': {
    status: 0,
    section:
      'settings connectionsMax, connectionsPerSourceMax; reset, since answering strangers is what there is no room for',
  },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly section: string }>>;

/** Why a request is refused. */
export type RefusalReason = keyof typeof refusals;

/** Why an upstream's answer is not one: everything that is not as RFC 9112 has it makes it an `invalidResponse`. */
export type AnswerFault =
  | 'status-line'
  | 'line-ending'
  | 'obs-fold'
  | 'field-name'
  | 'field-value'
  | 'headers-too-large'
  | 'too-many-headers'
  | 'content-length'
  | 'content-length-repeated'
  | 'content-length-and-transfer-encoding'
  | 'transfer-encoding'
  | 'informational-flood'
  | 'switching-unasked'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk-data'
  | 'trailer-field'
  | 'trailing-bytes';
