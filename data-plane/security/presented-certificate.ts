import { X509Certificate } from 'node:crypto';

import { certificateInHeader, headerCharsMax } from '../../proto/trust/certificate-header.ts';
import type { PresentingRequest } from './security.ts';

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
    const certificate = new X509Certificate(certificateInHeader(text));
    return {
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      validFromMs: certificate.validFromDate.getTime(),
      validToMs: certificate.validToDate.getTime(),
    };
  } catch {
    return unreadable;
  }
}
