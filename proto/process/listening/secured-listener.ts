import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';

import { createHandshakes, type Handshakes, type TlsOptions } from './tls.ts';

/** The handshakes of a listener, of certificates that may become others. */
export class SecuredListener {
  #current: Handshakes;

  constructor(tls: TlsOptions) {
    this.#current = createHandshakes(tls);
  }

  get options(): object {
    const handshakes = (): Handshakes => this.#current;
    const { fallback, requestCert, rejectUnauthorized } = this.#current;
    return {
      ...fallback,
      requestCert,
      rejectUnauthorized,
      SNICallback(this: unknown, ...given: Parameters<Handshakes['SNICallback']>) {
        handshakes().SNICallback.apply(this as never, given);
      },
    };
  }

  /** Errors: config.invalid; what was in use before stays. */
  take(server: Server, tls: TlsOptions): void {
    const next = createHandshakes(tls);
    (server as TlsServer).setSecureContext(next.fallback);
    this.#current = next;
  }
}
