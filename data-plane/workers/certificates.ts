import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Fault } from '../../proto/faults/fault.ts';
import type { Log } from '../../proto/process/log.ts';
import type { GatewayConfig } from '../config.ts';
import type { TlsOptions } from '../http/exchange.ts';

/** The listener's certificates as they were last read and found good. */
export interface Certificates {
  /** Undefined without TLS. */
  current(): TlsOptions | undefined;
  /**
   * Reads the files again and hands them to `take`; they are current once it has taken them.
   *
   * Files that cannot be read or do not fit together, and a refusal by `take`, are an ERROR in the log that names the file;
   * what was current stays, and the result is false.
   */
  reload(take: (tls: TlsOptions) => Promise<void> | void): Promise<boolean>;
}

/** Reads the certificates of a listener. Errors: config.invalid, with the file. */
export function openCertificates(listen: GatewayConfig['listen'], log: Log): Certificates {
  let current = readTls(listen.tls);
  let turn: Promise<unknown> = Promise.resolve();
  const reload = async (take: (tls: TlsOptions) => Promise<void> | void): Promise<boolean> => {
    if (current === undefined) {
      log.info('asked to read certificates again, but this listener speaks no TLS');
      return true;
    }
    const files = { certFile: listen.tls?.certFile, keyFile: listen.tls?.keyFile };
    try {
      const next = readTls(listen.tls) ?? current;
      await take(next);
      current = next;
      log.info(files, 'certificates were read again and are in use');
      return true;
    } catch (error) {
      log.error({ err: error, ...files }, 'certificates cannot be used; the ones before stay in use');
      return false;
    }
  };
  return {
    current: () => current,
    reload(take) {
      // Two signals in a row: the second must not overtake the first.
      const done = turn.then(() => reload(take));
      turn = done;
      return done;
    },
  };
}

function readTls(tls: GatewayConfig['listen']['tls']): TlsOptions | undefined {
  if (tls === undefined) return undefined;
  const { clientAuth, minVersion, caFile } = tls;
  return {
    certificates: [tls, ...tls.certificates].map(readPair),
    ca: caFile === undefined ? undefined : read(caFile),
    clientAuth,
    minVersion,
  };
}

function readPair(files: { readonly certFile: string; readonly keyFile: string }): {
  cert: string;
  key: string;
} {
  const cert = read(files.certFile);
  const key = read(files.keyFile);
  const x509 = attempt(files.certFile, 'is no certificate in PEM', () => new X509Certificate(cert));
  const privateKey = attempt(files.keyFile, 'is no unencrypted private key in PEM', () =>
    createPrivateKey(key),
  );
  if (!x509.checkPrivateKey(privateKey))
    throw invalid(files.keyFile, `does not belong to the certificate in ${files.certFile}`);
  return { cert, key };
}

const read = (file: string): string => attempt(file, 'cannot be read', () => readFileSync(file, 'utf8'));

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
    ...(cause === undefined ? {} : { cause }),
  });
}
