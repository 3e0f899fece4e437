import { X509Certificate } from 'node:crypto';

import type { PresentingRequest } from './security.ts';

/** Longest header with a certificate that is read. */
const headerCharsMax = 16_384;
/** Headers that are known without reading them again: the clients of a terminator send theirs with every request. */
const seenMax = 1_000;

/** A certificate that a client has proven, by a handshake with us or with a peer that may say so. */
export interface PresentedCertificate {
  /** SHA-256, 64 lower-case hex digits. */
  readonly fingerprint: string;
  /** Wall clock. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What stands for a certificate and is none. */
export const unreadable = Symbol('no certificate');

/** Whether a certificate is within its dates. */
export function isInDate({ validFromMs, validToMs }: PresentedCertificate, nowMs: number): boolean {
  return validFromMs <= nowMs && nowMs <= validToMs;
}

/** Where the certificate of a client stands, beside its handshake. */
export interface CertificatePlace {
  /** Lower case; of a TLS terminator in front of the server that a request came to. Undefined looks at the handshake alone. */
  readonly headerOf: (server: string | undefined) => string | undefined;
  /** Who may say in that header who its client is: from anybody else it counts for nothing. */
  readonly isTrusted: (address: string) => boolean;
}

/** Finds the certificates of clients. */
export class PresentedCertificates {
  readonly #place: CertificatePlace;
  #seen = new Map<string, PresentedCertificate | typeof unreadable>();

  constructor(place: CertificatePlace) {
    this.#place = place;
  }

  /** Whether the request came through a terminator that says whom it shook hands with. */
  isTerminated({ remoteAddress, server }: Pick<PresentingRequest, 'remoteAddress' | 'server'>): boolean {
    return this.#place.headerOf(server) !== undefined && this.#place.isTrusted(remoteAddress);
  }

  /**
   * What the client of a request has shown; undefined when nothing.
   *
   * Of a terminator the header counts alone, also where it says nothing: the certificate of the handshake is then its own.
   */
  presented(request: PresentingRequest): PresentedCertificate | typeof unreadable | undefined {
    const header = this.#place.headerOf(request.server);
    if (header === undefined || !this.#place.isTrusted(request.remoteAddress)) {
      const { clientCertificate: shown } = request;
      if (shown === undefined) return undefined;
      const { fingerprintSha256: fingerprint, validFromMs, validToMs } = shown;
      return { fingerprint, validFromMs, validToMs };
    }
    const [text = '', another] = request.headers.getAll(header);
    if (another !== undefined) return unreadable;
    // nginx writes an empty line where there is none.
    if (text === '') return undefined;
    const seen = this.#seen.get(text);
    if (seen !== undefined) return seen;
    if (text.length > headerCharsMax) return unreadable;
    const read = readHeader(text);
    // Emptied whole: it fills again within as many requests, and needs no bookkeeping.
    if (this.#seen.size >= seenMax) this.#seen = new Map();
    this.#seen.set(text, read);
    return read;
  }

  /** SHA-256 of what was presented; undefined when it was nothing, or no certificate. */
  fingerprint(request: PresentingRequest): string | undefined {
    const found = this.presented(request);
    return typeof found === 'object' ? found.fingerprint : undefined;
  }
}

function readHeader(text: string): PresentedCertificate | typeof unreadable {
  try {
    const certificate = new X509Certificate(derOf(text));
    return {
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      validFromMs: certificate.validFromDate.getTime(),
      validToMs: certificate.validToDate.getTime(),
    };
  } catch {
    return unreadable;
  }
}

/**
 * The certificate of a header, in the spellings of the field:
 *
 * - PEM, percent-encoded: nginx `$ssl_client_escaped_cert`, AWS; form-encoded (`BEGIN+CERTIFICATE`); or with blanks for its line ends;
 * - base64 of DER: HAProxy `%[ssl_c_der,base64]`, Traefik; between colons as `Client-Cert` of RFC 9440;
 * - `Cert="..."` of Envoy's X-Forwarded-Client-Cert, when it has one element: of several nobody knows who wrote which.
 *
 * Of a chain the first counts: it is the client's.
 */
function derOf(text: string): Buffer {
  const quoted = /(?:^|;)cert="([^"]*)"/i.exec(text)?.[1];
  if (quoted !== undefined && text.replaceAll(/"[^"]*"/g, '').includes(','))
    throw new Error('several elements');
  const encoded = quoted ?? text;
  // Where a blank is a blank or %20, a plus is one of base64.
  const percent = encoded.includes('BEGIN+') ? encoded.replaceAll('+', ' ') : encoded;
  const plain = decodeURIComponent(percent);
  const base64 = (pemBlock.exec(plain) ?? bareBase64.exec(plain))?.[1];
  if (base64 === undefined) throw new Error('no certificate');
  return Buffer.from(base64, 'base64');
}

const pemBlock = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;
const bareBase64 = /^:?([A-Za-z0-9+/]+={0,2})(?::|,.*)?$/;
