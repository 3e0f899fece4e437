import { readClientCertificates } from '../../proto/trust/client-certificates.ts';
import type { CertificateRef } from '../../proto/wire/payloads.ts';

/** What lets callers in by a subscription. */
interface Given {
  readonly id: string;
  readonly application: { readonly id: string };
  readonly apiKeys: readonly string[];
  readonly clientCertificate?: string | undefined;
  readonly status: string;
}

interface Holder {
  readonly subscription: string;
  readonly application: string;
}

/** API keys and certificates of subscriptions: each is one application's, as a control plane has it, for as many subscriptions as it has. */
export class Holders {
  readonly #keys = new Map<string, Holder>();
  readonly #certificates = new Map<string, Holder>();

  /** Gives the certificates that are shown for it. Errors: Error that names both subscriptions, and never a key; then it holds what came before. */
  admit(given: Given): readonly CertificateRef[] {
    const { id, clientCertificate } = given;
    // Its keys may be another one's by now.
    if (given.status !== 'CLOSED')
      for (const [index, key] of given.apiKeys.entries())
        hold(this.#keys, key, { given, what: `apiKeys[${index}] of subscription "${id}"` });
    if (clientCertificate === undefined) return [];
    const where = `clientCertificate of subscription "${id}"`;
    return readOf(where, clientCertificate).map(({ sha256, subject }) => {
      hold(this.#certificates, sha256.toString('hex'), { given, what: `${where} (${subject})` });
      return { sha256 };
    });
  }
}

function hold(
  holders: Map<string, Holder>,
  key: string,
  { given: { id, application }, what }: { readonly given: Given; readonly what: string },
): void {
  const holder = holders.get(key) ?? { subscription: id, application: application.id };
  if (holder.application !== application.id)
    throw new Error(
      `${what} is that of "${holder.subscription}" already, which is the application "${holder.application}"'s`,
    );
  holders.set(key, holder);
}

function readOf(where: string, text: string): ReturnType<typeof readClientCertificates> {
  try {
    return readClientCertificates(text);
  } catch (error) {
    throw new Error(`${where} ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
