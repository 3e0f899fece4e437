import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';

import type { SecretReferences } from '../proto/expression/scope.ts';

/** Where definitions may take secrets from. */
export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Undefined where no file may be read. */
  readonly folder: string | undefined;
  /** Milliseconds; of any clock that only goes on. */
  readonly nowMs: () => number;
}

/** Whoever writes a definition may send what it reads to a backend of his: only what was named for that can be read. */
export const secretVariablePrefix = 'ISTHMUS_SECRET_';
const secretBytesMax = 64 * 1024;
/** A file is looked at again after this time. */
const knownMs = 5_000;
const knownMax = 1_000;

interface Known {
  readonly text: string | undefined;
  readonly untilMs: number;
}

/**
 * Reads what `#secrets.get(...)` names: `/env/NAME` is the environment variable `ISTHMUS_SECRET_NAME`, `/file/a` the file `a` below the folder,
 * `/file/a` with the key `b` the file `a/b` (as Kubernetes mounts them), else the key of the JSON object in `a`.
 */
export function createSecretReferences({ environment, folder, nowMs }: SecretSources): SecretReferences {
  const known = new Map<string, Known>();
  const read = (path: string): string | undefined => {
    const before = known.get(path);
    if (before !== undefined && nowMs() < before.untilMs) return before.text;
    const text = readSecret(path);
    if (known.size >= knownMax) known.clear();
    known.set(path, { text, untilMs: nowMs() + knownMs });
    return text;
  };
  return {
    get(path, key) {
      const [, provider = '', name = ''] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
      const why = {
        why: `there is no secret ${JSON.stringify(path)}${key === undefined ? '' : ' with that key'}`,
      };
      if (provider === 'env') {
        const variable = `${secretVariablePrefix}${name}`;
        const text = Object.hasOwn(environment, variable) ? environment[variable] : undefined;
        const found = key === undefined ? text : keyOf(text, key);
        return found === undefined ? why : { value: found };
      }
      if (folder === undefined) return { why: 'secrets of files need the setting secretReferences.folder' };
      const parts = [name, ...(key === undefined ? [] : [key])];
      if (!parts.every(isBelow)) return why;
      const found =
        key === undefined
          ? read(join(folder, name))
          : (read(join(folder, name, key)) ?? keyOf(read(join(folder, name)), key));
      return found === undefined ? why : { value: found };
    },
  };
}

/** No way leads out of the folder by its name. */
function isBelow(name: string): boolean {
  return !name.includes('\0') && !isAbsolute(name) && !normalize(name).split(/[\\/]/).includes('..');
}

function readSecret(path: string): string | undefined {
  try {
    const found = statSync(path);
    if (!found.isFile() || found.size > secretBytesMax) return undefined;
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

function keyOf(text: string | undefined, key: string): string | undefined {
  if (text === undefined || !text.trimStart().startsWith('{')) return undefined;
  try {
    const found = new Map(Object.entries(JSON.parse(text) as Record<string, unknown>)).get(key);
    return typeof found === 'string' ? found : undefined;
  } catch {
    return undefined;
  }
}
