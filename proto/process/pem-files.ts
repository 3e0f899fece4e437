import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

import { Fault } from '../faults/fault.ts';
import type { Log } from './log.ts';
import { systemWords } from './system-words.ts';

const hint =
  'Check certFile, keyFile and the file of authorities for a slip, that each is PEM, and that the user of this process may read them.';

/** Where a certificate and its key lie. */
export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Reads a certificate chain and its key, and sees that they fit together. Errors: config.invalid, with the file. */
export function readPair(files: PairFiles): { readonly cert: string; readonly key: string } {
  const cert = readPemFile(files.certFile);
  const key = readPemFile(files.keyFile);
  const x509 = attempt(files.certFile, 'is no certificate in PEM', () => new X509Certificate(cert));
  const privateKey = attempt(files.keyFile, 'is no unencrypted private key in PEM', () =>
    createPrivateKey(key),
  );
  if (!x509.checkPrivateKey(privateKey))
    throw invalid(files.keyFile, `does not belong to the certificate in ${files.certFile}`);
  return { cert, key };
}

/**
 * Says in the log which certificates have ended. They are taken all the same: nothing better is there, and one that nobody asks for must
 * not keep the others from being renewed.
 */
export function warnOfEnded(
  read: readonly { readonly cert: string; readonly file?: string | undefined }[],
  nowMs: number,
  log: Pick<Log, 'warn'>,
): void {
  for (const { cert, file: certFile } of read) {
    const { validToDate } = new X509Certificate(cert);
    if (validToDate.getTime() < nowMs)
      log.warn(
        { certFile, endedAt: validToDate.toISOString() },
        'a certificate has ended and clients refuse it: put a renewed one there and send SIGHUP',
      );
  }
}

/** Refuses a text without a certificate, which node:tls takes for an empty list of authorities. Errors: config.invalid, with the file. */
export function checkAuthorities(file: string, pem: string): void {
  attempt(file, 'is no certificate in PEM', () => new X509Certificate(pem));
}

/** Reads the certificates of authorities. Errors: config.invalid, with the file. */
export function readAuthorities(file: string): string {
  const pem = readPemFile(file);
  checkAuthorities(file, pem);
  return pem;
}

/** For whoever dials: the well-known authorities and these; without these nothing, which is the well-known ones. */
export const besideWellKnown = (ca: string | undefined): { readonly ca?: string[] } =>
  ca === undefined ? {} : { ca: [...rootCertificates, ca] };

/** Reads a text. Errors: config.invalid, with the file. */
export function readPemFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault('config.invalid', {
      detail: `The file ${file} ${systemWords(error)}.`,
      hint,
      cause: error,
    });
  }
}

function attempt<T>(file: string, why: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw invalid(file, why, error);
  }
}

function invalid(file: string, why: string, cause?: unknown): Fault {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new Fault('config.invalid', {
    detail: `The file ${file} ${why}${reason}.`,
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
