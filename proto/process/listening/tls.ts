import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';

import { Fault } from '../../faults/fault.ts';
import { readCertificates } from '../../trust/certificate-facts.ts';

/** Certificates of a listener, as PEM texts. */
export interface TlsOptions {
  /** The first serves clients without SNI or with an unknown name; the others are chosen by their subject alternative names. */
  readonly certificates: readonly CertificateTexts[];
  /** Authorities of client certificates. */
  readonly ca: string | undefined;
  readonly clientAuth: 'none' | 'request' | 'required';
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** As OpenSSL writes them; default: Node's. */
  readonly ciphers?: string | undefined;
}

/** A certificate chain and its key. */
export interface CertificateTexts {
  readonly cert: string;
  readonly key: string;
  /** Where it was read; absent for one that was made. */
  readonly file?: string | undefined;
}

/** How handshakes go, for `createServer` of node:tls and node:https. */
export interface Handshakes {
  readonly fallback: SecureContextOptions;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  /** Node calls it on the socket. */
  readonly SNICallback: (
    name: string,
    callback: (error: Error | null, context?: SecureContext) => void,
  ) => void;
}

/**
 * Makes the contexts of a listener's certificates.
 *
 * judgesClients: whoever asks decides at the end of the handshake which certificates are trusted, not the authorities alone.
 * Errors: config.invalid with the place, e.g. `certificates[1]`, when the PEM texts do not fit together.
 */
export function createHandshakes(
  tls: TlsOptions,
  { judgesClients = false }: { readonly judgesClients?: boolean } = {},
): Handshakes {
  const { ca } = tls;
  if (tls.clientAuth === 'required' && ca === undefined && !judgesClients)
    throw invalid('ca', 'is needed where client certificates are required');
  if (ca !== undefined) attempt(() => readCertificates(ca), 'ca', 'cannot be read');
  const contexts = createContexts(tls);
  return {
    fallback: contexts.fallback,
    requestCert: tls.clientAuth !== 'none',
    rejectUnauthorized: tls.clientAuth === 'required' && !judgesClients,
    // Node does not say what it calls this on; the test with several key types would tell.
    SNICallback(this: unknown, name, callback) {
      try {
        callback(null, contexts.of(name, this instanceof TLSSocket ? this : undefined));
      } catch (error) {
        // The handshake fails; thrown here it would end the process.
        callback(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** rsa, ec, ed25519 ... */
  readonly keyType: string;
  /** Lower case; `*.acme.com` for a wildcard. */
  readonly dnsNames: readonly string[];
  /** All of them, as written: which certificates stand for the same. */
  readonly names: readonly string[];
}

interface Choice {
  readonly context: SecureContext;
  /** Signature algorithms of the certificate's key, as node:tls spells them. */
  readonly signsBy: RegExp;
}

const signaturesOf: ReadonlyMap<string, RegExp> = new Map([
  ['ec', /^ECDSA/],
  ['ed25519', /^ed25519/i],
  ['ed448', /^ed448/i],
  ['rsa', /^RSA/],
]);

/**
 * A context per certificate, found by name.
 *
 * Several certificates may stand for one name, with keys of different types. Among those of the fallback OpenSSL chooses by what
 * the client offers. A context that is chosen by name is reduced to one certificate by Node, so there the choice is ours: the
 * first whose signatures the client takes, RSA last because it costs most.
 */
function createContexts(tls: TlsOptions) {
  const certificates = tls.certificates.map(readCertificate);
  const [first, ...others] = certificates;
  if (first === undefined) throw invalid('certificates', 'must hold at least one');
  const ofFirst = [
    first,
    ...others.filter((other) => first.names.every((name) => other.names.includes(name))),
  ];
  const fallback = contextOptions(tls, ofFirst);
  // What is wrong with it is found here, under its name, and not by the server.
  createContext(fallback);
  const choices = certificates.map((certificate): Choice => ({
    context: createContext(contextOptions(tls, [certificate])),
    signsBy: signaturesOf.get(certificate.keyType) ?? /^/,
  }));
  const byName = new Map<string, readonly Choice[]>();
  for (const name of new Set(certificates.flatMap(({ dnsNames }) => dnsNames))) {
    const holders = certificates.filter(({ dnsNames }) => dnsNames.includes(name));
    const isFallback = holders.length === ofFirst.length && holders.every((one) => ofFirst.includes(one));
    const cheapestFirst = holders.toSorted((one, other) => costOf(one) - costOf(other));
    const ofName = cheapestFirst.flatMap((holder) => choices[certificates.indexOf(holder)] ?? []);
    byName.set(name, isFallback ? [] : ofName);
  }
  return {
    fallback,
    /** RFC 9525 section 6.3: a wildcard stands for one label, the leftmost. Undefined is the fallback. */
    of(name: string, socket: TLSSocket | undefined): SecureContext | undefined {
      const lower = name.toLowerCase();
      const ofName = byName.get(lower) ?? byName.get(`*${lower.slice(lower.indexOf('.'))}`) ?? [];
      if (ofName.length < 2) return ofName[0]?.context;
      const offered = socket?.getSharedSigalgs() ?? [];
      const fitting = ofName.find(({ signsBy }) => offered.some((algorithm) => signsBy.test(algorithm)));
      return (fitting ?? ofName[0])?.context;
    },
  };
}

const costOf = ({ keyType }: Certificate): number => (keyType.startsWith('rsa') ? 1 : 0);

function contextOptions(tls: TlsOptions, certificates: readonly Certificate[]): SecureContextOptions {
  // The first of each key type; a second one would replace it in silence.
  const held = certificates.filter(
    ({ keyType }, index) => certificates.findIndex((one) => one.keyType === keyType) === index,
  );
  return {
    cert: held.map(({ cert }) => cert),
    key: held.map(({ key }) => key),
    // Without authorities of its own a listener trusts nobody; left out, Node would trust every public one.
    ca: tls.ca ?? [],
    minVersion: tls.minVersion,
    ...(tls.ciphers !== undefined && { ciphers: tls.ciphers }),
    // RFC 5746: TLS 1.2 lets a client ask for handshake after handshake, which costs it little and us much.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function createContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw invalid('certificates', `cannot be used (${messageOf(error)})`, error);
  }
}

function readCertificate({ cert, key }: TlsOptions['certificates'][number], index: number): Certificate {
  const place = `certificates[${index}]`;
  const x509 = attempt(() => new X509Certificate(cert), `${place}.cert`, 'is no certificate in PEM');
  const privateKey = attempt(
    () => createPrivateKey(key),
    `${place}.key`,
    'is no unencrypted private key in PEM',
  );
  if (!x509.checkPrivateKey(privateKey)) throw invalid(`${place}.key`, 'does not belong to the certificate');
  const names = alternativeNames(x509);
  const dnsNames = names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4).toLowerCase()] : []));
  if (index > 0 && dnsNames.length === 0)
    throw invalid(`${place}.cert`, 'has no DNS name that a client could ask for');
  return { cert, key, keyType: privateKey.asymmetricKeyType ?? '', dnsNames, names };
}

/** e.g. `DNS:a.acme.com`, `IP Address:10.0.0.1`. Node puts names that hold a comma or a quote in quotes: no host is called so. */
function alternativeNames(certificate: X509Certificate): readonly string[] {
  const parts = (certificate.subjectAltName ?? '').matchAll(
    /(?:^|, )(?:[A-Za-z ]+):(?:"(?:[^"\\]|\\.)*"|[^,]*)/gy,
  );
  return [...parts].map(([part]) => part.replace(/^, /, '')).filter((name) => !name.includes('"'));
}

function attempt<T>(read: () => T, place: string, why: string): T {
  try {
    return read();
  } catch (error) {
    throw invalid(place, `${why} (${messageOf(error)})`, error);
  }
}

function invalid(place: string, why: string, cause?: unknown): Fault {
  return new Fault('config.invalid', {
    detail: `tls.${place} ${why}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
