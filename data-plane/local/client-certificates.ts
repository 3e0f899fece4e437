import { readClientCertificates } from '../../proto/trust/client-certificates.ts';
import type { CertificateRef } from '../../proto/wire/payloads.ts';

/** Reads the certificates of subscriptions: each is one application's. */
export class ClientCertificates {
  readonly #applications = new Map<string, string>();

  /** Errors: Error that names the subscription. */
  of({
    id,
    application,
    clientCertificate,
  }: {
    readonly id: string;
    readonly application: string;
    readonly clientCertificate?: string | undefined;
  }): readonly CertificateRef[] {
    if (clientCertificate === undefined) return [];
    const where = `clientCertificate of subscription "${id}"`;
    return readOf(where, clientCertificate).map(({ sha256, subject }) => {
      const holder = this.#applications.get(sha256.toString('hex')) ?? application;
      if (holder !== application)
        throw new Error(`${where} (${subject}) is the application "${holder}"'s already`);
      this.#applications.set(sha256.toString('hex'), application);
      return { sha256 };
    });
  }
}

function readOf(where: string, text: string): ReturnType<typeof readClientCertificates> {
  try {
    return readClientCertificates(text);
  } catch (error) {
    throw new Error(`${where} ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
