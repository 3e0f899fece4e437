import { readFileSync, statSync } from 'node:fs';

import { Fault } from '../../proto/faults/fault.ts';
import type { SharedConfiguration } from '../../proto/model/api.ts';
import { authoritiesIn, checkKeys, unusableStores } from '../../proto/trust/stores.ts';

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
  const ca = authoritiesOf(trustStore, `${at}.trustStore`);
  const nothing = { ca, cert: undefined, key: undefined, pfx: undefined, passphrase: undefined };
  const place = `${at}.keyStore`;
  switch (keyStore.type) {
    case '':
      return nothing;
    case 'PEM': {
      const cert = read(keyStore, ['certContent', 'certPath'], place);
      const key = read(keyStore, ['keyContent', 'keyPath'], place);
      check(() => checkKeys({ type: 'PEM', certContent: cert, keyContent: key }), place);
      return { ...nothing, cert, key };
    }
    case 'PKCS12': {
      const content = base64Of(keyStore, place);
      const passphrase = keyStore.password ?? '';
      check(() => checkKeys({ type: 'PKCS12', content, password: passphrase }), place);
      return { ...nothing, pfx: content, passphrase };
    }
  }
}

/**
 * Judges the stores of endpoints that are not called by TLS: a redirect or a step may lead to one that is. Files are read when that happens.
 *
 * Errors: request.invalid as {@link readStores}.
 */
export function judgeStores(ssl: Ssl, at: string): void {
  const details = unusableStores(ssl, at);
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Says whether stores name a file. */
export function readsFiles({ trustStore, keyStore }: Ssl): boolean {
  const paths = ['path', 'certPath', 'keyPath'];
  return [trustStore, keyStore].some((store) =>
    Object.entries(store).some(([field, value]) => paths.includes(field) && (value ?? '') !== ''),
  );
}

function authoritiesOf(store: Ssl['trustStore'], at: string): string | undefined {
  if (store.type === '') return undefined;
  const { type, password } = store;
  const content = type === 'PEM' ? read(store, ['content', 'path'], at) : base64Of(store, at);
  return check(() => authoritiesIn({ type, content, password }), at);
}

/** Of PKCS12: base64 in the definition, or a file. */
function base64Of(
  { content = '', path = '' }: { readonly content?: string | undefined; readonly path?: string | undefined },
  at: string,
): string {
  return content === '' ? readFile(path, `${at}.path`).toString('base64') : content.replaceAll(/\s/g, '');
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

function check<T>(use: () => T, at: string): T {
  try {
    return use();
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
