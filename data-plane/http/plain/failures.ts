import type { UpstreamFailure, UpstreamOptions, UpstreamResult } from '../exchange.ts';

/** Names and files of the TLS side, as node:tls takes them. */
export function tlsOptions({ tls }: UpstreamOptions): object {
  if (tls === undefined) return {};
  return {
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(tls.verifyHost ? {} : { checkServerIdentity: () => undefined }),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

/** Makes a failure of a failed call. */
export function failed(failure: UpstreamFailure, message: string): UpstreamResult {
  return { kind: 'failure', failure, message };
}

const failuresByCode: Readonly<Record<string, UpstreamFailure>> = {
  ECONNREFUSED: 'connectRefused',
  UND_ERR_CONNECT_TIMEOUT: 'connectTimeout',
  ETIMEDOUT: 'connectTimeout',
  ENOTFOUND: 'dnsFailed',
  EAI_AGAIN: 'dnsFailed',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  UND_ERR_HEADERS_TIMEOUT: 'readTimeout',
  UND_ERR_BODY_TIMEOUT: 'readTimeout',
  UND_ERR_HEADERS_OVERFLOW: 'invalidResponse',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'invalidResponse',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'requestBodyFailed',
  UND_ERR_SOCKET: 'closed',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};

/** Why a call failed, from Node's and undici's codes. */
export function failureOf(error: unknown): UpstreamFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = failuresByCode[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError'))
    return 'invalidResponse';
  if (/TLS|SSL|CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return 'tlsFailed';
  if (error instanceof AggregateError) return failureOf(error.errors[0]);
  return 'requestBodyFailed';
}
