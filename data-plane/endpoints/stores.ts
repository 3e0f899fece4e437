import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

import { Fault } from '../../proto/faults/fault.ts';
import type { SharedConfiguration } from '../../proto/model/api.ts';
import { readCertificates } from '../../proto/process/pem-files.ts';

type Ssl = SharedConfiguration['ssl'];

/** What stores come to: PEM texts, or PKCS12 in base64. */
export interface Stores {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly pfx: string | undefined;
  readonly passphrase: string | undefined;
}

/** A certificate store is some kilobytes; a path may name anything. */
const fileBytesMax = 1_048_576;

/**
 * Reads trust store and key store, files too, and checks that what is in them fits together.
 *
 * Files are read once, when the API is deployed: a renewed certificate needs a new deploy of the API or a restart.
 * Errors: request.invalid whose detail has the path of the field below `at`; never with anything of a file's content.
 */
export function readStores({ trustStore, keyStore }: Ssl, at: string): Stores {
  const ca =
    trustStore.type === 'PEM' ? read(trustStore, ['content', 'path'], `${at}.trustStore`) : undefined;
  if (ca !== undefined) check(() => readCertificates(ca), `${at}.trustStore`);
  const nothing = { ca, cert: undefined, key: undefined, pfx: undefined, passphrase: undefined };
  const place = `${at}.keyStore`;
  switch (keyStore.type) {
    case '':
      return nothing;
    case 'PEM': {
      const cert = read(keyStore, ['certContent', 'certPath'], place);
      const key = read(keyStore, ['keyContent', 'keyPath'], place);
      check(() => createSecureContext({ cert, key }), place);
      return { ...nothing, cert, key };
    }
    case 'PKCS12': {
      const content = keyStore.content ?? '';
      const pfx =
        content === ''
          ? readFile(keyStore.path ?? '', `${place}.path`).toString('base64')
          : content.replaceAll(/\s/g, '');
      const passphrase = keyStore.password ?? '';
      check(() => createSecureContext({ pfx: Buffer.from(pfx, 'base64'), passphrase }), place);
      return { ...nothing, pfx, passphrase };
    }
  }
}

function read<Field extends string>(
  store: Readonly<Partial<Record<Field, string | undefined>>>,
  [content, path]: readonly [Field, Field],
  at: string,
): string {
  const text = store[content] ?? '';
  return text === '' ? readFile(store[path] ?? '', `${at}.${path}`).toString('utf8') : text;
}

function readFile(path: string, at: string): Buffer {
  try {
    // Reading a pipe or a device would stop the gateway.
    const stat = statSync(path);
    if (!stat.isFile()) throw new Error('it is no file');
    if (stat.size > fileBytesMax) throw new Error(`it has more than ${fileBytesMax} bytes`);
    return readFileSync(path);
  } catch (error) {
    throw invalid(at, `cannot be read on this gateway (${reasonOf(error)})`, error);
  }
}

function check(use: () => unknown, at: string): void {
  try {
    use();
  } catch (error) {
    throw invalid(at, `cannot be used (${reasonOf(error)})`, error);
  }
}

function invalid(path: string, message: string, cause: unknown): Fault {
  return new Fault('request.invalid', { details: [{ path, message }], cause });
}

/** Node's errors of files hold the path, which the definition named; those of OpenSSL say what is wrong. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && 'syscall' in error ? String(error.code) : error.message;
}
