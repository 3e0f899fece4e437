import { z } from 'zod';

import { isToken } from '../../model/head-text.ts';
import { type PairFiles, readAuthorities, readPair, readPemFile } from '../pem-files.ts';
import { former, secret } from '../settings.ts';
import type { CertificateTexts, TlsOptions } from './tls.ts';

const shape = {
  certFile: z
    .string()
    .optional()
    .describe('Certificate chain, PEM; for clients that ask for no name or an unknown one.'),
  keyFile: z.string().optional().describe('Private key, PEM.'),
  certificates: z
    .array(z.strictObject({ certFile: z.string(), keyFile: z.string() }))
    .max(1_000)
    .default([])
    .describe('More certificates, as {certFile, keyFile}; the client asks by name (SNI).'),
  caFile: z.string().optional().describe('Authorities of client certificates, PEM.'),
  clientAuth: z
    .enum(['none', 'request', 'required'])
    .default('none')
    .describe('Whether clients are asked for a certificate, and refused without a good one.'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest version of TLS.'),
  ciphers: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      "Ciphers as OpenSSL writes them, e.g. TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384. Default: Node's.",
    ),
  keyStoreFile: z
    .string()
    .min(1)
    .optional()
    .describe('Certificate, chain and key in one file of PKCS12, in place of certFile and keyFile.'),
  keyStorePassword: secret().optional().describe('Password of keyStoreFile; default: an empty one.'),
  keyStorePasswordFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the password of keyStoreFile, in place of keyStorePassword; a line end behind it is no part of it.',
    ),
  selfSigned: z
    .boolean()
    .default(false)
    .describe('Makes a certificate at the start, for trying out: no client has a reason to trust it.'),
  lookEveryMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(5_000)
    .describe(
      'How often the files are looked at; those that have changed are read again, as on SIGHUP. Broken ones change nothing.',
    ),
};

/** What `tls` of a listener may say. */
export type ListenTlsSettings = z.output<z.ZodObject<typeof shape>>;

/** The setting `tls` of a listener. */
export const ListenTls = z
  .strictObject(shape)
  .superRefine((tls, context) => checkSource(tls, context))
  .optional()
  .describe('TLS; without it plain HTTP.');

/** The same of a bridge, whose authorities of clients had another name. */
export const BridgeListenTls = z
  .strictObject({
    ...shape,
    clientAuth: shape.clientAuth.describe(
      'Whether gateways are asked for a certificate, and refused without a good one; beside what they prove anyway.',
    ),
    clientCaFile: former('is caFile now, with clientAuth: required'),
  })
  .superRefine((tls, context) => checkSource(tls, context))
  .optional()
  .describe('TLS; without it a proxy in front must speak TLS.');

/** The same of a gateway: it has plans that let in by certificates, and may stand behind a TLS terminator. */
export const GatewayListenTls = z
  .strictObject({
    ...shape,
    caFile: shape.caFile.describe(
      'Authorities of client certificates, PEM; beside the certificates of subscriptions. Any other fails the handshake.',
    ),
    alpn: z
      .array(z.enum(['h2', 'http/1.1']))
      .min(1)
      .max(2)
      .default(['http/1.1'])
      .describe(
        'Protocols that clients may choose in the handshake: `h2` is HTTP/2, which is preferred where both are. Without `http/1.1` nothing else is spoken.',
      ),
    clientCertificateHeader: z
      .string()
      .max(256)
      .refine(isToken, 'must be a header name')
      .optional()
      .describe(
        "Header in which a TLS terminator in front says whom it shook hands with, for MTLS plans and JWT's cnf: percent- or form-encoded PEM (nginx $ssl_client_escaped_cert, AWS), base64 of DER (HAProxy, Traefik, Client-Cert of RFC 9440), or Envoy's X-Forwarded-Client-Cert with Cert. It counts of listen.trustedProxies alone, and there alone; of others it is ignored and removed. It may stand without a certificate: the listener is plain HTTP.",
      ),
  })
  .superRefine((tls, context) => {
    if (tls.clientCertificateHeader === undefined || hasSource(tls)) checkSource(tls, context);
    else if (tls.alpn.includes('h2'))
      context.addIssue({
        code: 'custom',
        path: ['alpn'],
        message:
          'is chosen in a TLS handshake, and there is no certificate; without TLS HTTP/2 has a setting of its own',
      });
  })
  .optional()
  .describe('TLS; without it plain HTTP.');

/** Whether a listener speaks TLS. */
export function isSecured(tls: ListenTlsSettings | undefined): tls is ListenTlsSettings {
  return tls !== undefined && hasSource(tls);
}

/** The pairs of files that a listener names. */
export function pairsOf(tls: ListenTlsSettings | undefined): readonly PairFiles[] {
  if (tls === undefined) return [];
  const { certFile, keyFile, certificates } = tls;
  const first = certFile === undefined || keyFile === undefined ? [] : [{ certFile, keyFile }];
  return [...first, ...certificates];
}

/** Every file that a listener reads. */
export function filesOf(tls: ListenTlsSettings | undefined): readonly string[] {
  const files = pairsOf(tls).flatMap(({ certFile, keyFile }) => [certFile, keyFile]);
  return [...files, tls?.keyStoreFile, tls?.keyStorePasswordFile, tls?.caFile].filter(
    (file) => file !== undefined,
  );
}

const hasSource = ({
  certFile,
  keyFile,
  keyStoreFile,
  selfSigned,
  certificates,
}: ListenTlsSettings): boolean =>
  selfSigned ||
  certificates.length > 0 ||
  [certFile, keyFile, keyStoreFile].some((file) => file !== undefined);

/** One of three, and nothing that would be left out in silence. */
function checkSource(tls: ListenTlsSettings, context: z.RefinementCtx): void {
  const { certFile, keyFile, keyStoreFile, keyStorePassword, keyStorePasswordFile, selfSigned } = tls;
  const say = (field: keyof ListenTlsSettings, message: string): void =>
    context.addIssue({ code: 'custom', path: [field], message });
  const isPair = certFile !== undefined || keyFile !== undefined;
  if (selfSigned && (isPair || keyStoreFile !== undefined))
    say('selfSigned', 'stands beside a certificate; allowed: one of them');
  if (isPair && keyStoreFile !== undefined)
    say('keyStoreFile', 'stands beside certFile and keyFile; allowed: one of them');
  if (!selfSigned && keyStoreFile === undefined) {
    if (certFile === undefined)
      say('certFile', 'is required: the certificate chain, PEM; or keyStoreFile, or selfSigned: true');
    if (keyFile === undefined) say('keyFile', 'is required: the private key, PEM');
  }
  if (keyStoreFile === undefined && keyStorePassword !== undefined)
    say('keyStorePassword', 'belongs to keyStoreFile, which is not set');
  if (keyStoreFile === undefined && keyStorePasswordFile !== undefined)
    say('keyStorePasswordFile', 'belongs to keyStoreFile, which is not set');
  if (keyStorePassword !== undefined && keyStorePasswordFile !== undefined)
    say('keyStorePasswordFile', 'stands beside keyStorePassword; allowed: one of them');
}

/**
 * Reads the files of a listener's certificates; undefined for one without TLS.
 *
 * before: what was read the last time; a certificate that was made is not made again.
 * Errors: config.invalid, with the file.
 */
export async function readListenTls(
  tls: ListenTlsSettings | undefined,
  { nowMs, before }: { readonly nowMs: number; readonly before?: TlsOptions | undefined },
): Promise<TlsOptions | undefined> {
  if (!isSecured(tls)) return undefined;
  const { clientAuth, minVersion, caFile, ciphers } = tls;
  const pairs = pairsOf(tls).map((files) => ({ ...readPair(files), file: files.certFile }));
  const first = await firstOf(tls, { nowMs, before });
  return {
    certificates: first === undefined ? pairs : [first, ...pairs],
    ca: caFile === undefined ? undefined : readAuthorities(caFile),
    clientAuth,
    minVersion,
    ciphers,
  };
}

/** What stands in place of certFile and keyFile. */
async function firstOf(
  { selfSigned, keyStoreFile, keyStorePassword, keyStorePasswordFile }: ListenTlsSettings,
  { nowMs, before }: { readonly nowMs: number; readonly before: TlsOptions | undefined },
): Promise<CertificateTexts | undefined> {
  if (!selfSigned && keyStoreFile === undefined) return undefined;
  if (selfSigned && before?.certificates[0] !== undefined) return before.certificates[0];
  // Loaded by who needs it: an idle gateway has no room for it.
  const { makeSelfSigned, readKeyStore } = await import('./key-store.ts');
  if (keyStoreFile === undefined) return makeSelfSigned(nowMs);
  const password =
    keyStorePasswordFile === undefined
      ? keyStorePassword
      : readPemFile(keyStorePasswordFile).replace(/\r?\n$/, '');
  return readKeyStore(keyStoreFile, password ?? '');
}
