import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of package.json: the root of a checkout, or of the installed package (this file is then in dist/deploy). */
const packageDir = findPackage(import.meta.dirname);

/** The version of this program. */
export const version = readVersion();

function findPackage(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findPackage(dirname(from));
}

function readVersion(): string {
  const content = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return content.version;
}
