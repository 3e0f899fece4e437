import { nearest } from '../faults/nearest.ts';
import { fail } from './failure.ts';
import type { SecretReferences } from './scope.ts';
import { toText, type Value } from './values.ts';

/** Providers of this version. */
const providers = ['env', 'file'];

/** What can be asked of `#secrets`. */
export const secretsHint = "#secrets has get('/provider/path') and get('/provider/path', 'key')";

/** What is wrong with the path of a secret, as far as it can be told without looking. */
export function checkSecret(path: string): string | undefined {
  const [, provider] = /^\/([^/:?]+)\/[^/]/.exec(path) ?? [];
  if (provider === undefined) return `the path of a secret begins with its provider: /env/NAME, /file/path`;
  if (providers.includes(provider)) return undefined;
  const near = nearest(provider, providers);
  return `secrets of the provider "${provider}" are not supported by this version; allowed: /env/NAME, /file/path${near === undefined ? '' : `; did you mean /${near}?`}`;
}

/** `/file/a:key?renewable=true` is the key of `/file/a`; what it says of renewal is not asked: files are read again when they change. */
export function secretOf(args: readonly Value[], secrets: SecretReferences): Value {
  const [path, key] = args.map((each) => toText(each));
  if (path === undefined || path === null) return fail('the path of a secret is nothing');
  const found = secretAt(path, key ?? undefined, secrets);
  return 'why' in found ? fail(found.why) : found.value;
}

/** The secret that is written so, or why there is none; the reason does not hold it. */
export function secretAt(
  path: string,
  key: string | undefined,
  secrets: SecretReferences,
): ReturnType<SecretReferences['get']> {
  const [written = ''] = path.split('?');
  const why = checkSecret(written);
  if (why !== undefined) return { why };
  const colon = written.indexOf(':');
  const inPath = colon === -1 ? undefined : written.slice(colon + 1);
  return secrets.get(colon === -1 ? written : written.slice(0, colon), key ?? inPath);
}
