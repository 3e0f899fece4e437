/** What of a package.json packing reads and writes. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string | undefined;
  readonly license?: string | undefined;
  readonly bin?: Readonly<Record<string, string>> | undefined;
  readonly engines?: Readonly<Record<string, string>> | undefined;
  readonly dependencies?: Readonly<Record<string, string>> | undefined;
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined;
  readonly devDependencies?: Readonly<Record<string, string>> | undefined;
  readonly scripts?: Readonly<Record<string, string>> | undefined;
  readonly files?: readonly string[] | undefined;
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>> | undefined;
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined;
  readonly peerDependencies?: Readonly<Record<string, string>> | undefined;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** package-lock.json and npm-shrinkwrap.json, version 3: packages by the folder that they are installed in. */
export interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/**
 * The part of a lockfile that an installed package needs: what its dependencies reach, each in the version that the tests ran on. npm
 * obeys it as `npm-shrinkwrap.json` inside a package, where a `package-lock.json` says nothing.
 *
 * Errors: when a dependency is not in the lockfile.
 */
export function pruneLock(
  lock: Lockfile,
  manifest: Manifest,
): Lockfile & { readonly name: string; readonly version: string; readonly requires: true } {
  if (lock.lockfileVersion !== 3)
    throw new Error(`package-lock.json has version ${lock.lockfileVersion}, not 3`);
  const { name, version, license, bin, engines, dependencies, optionalDependencies } = manifest;
  const reached = new Map<string, LockedPackage>();
  const visit = (folder: string, wanted: LockedPackage, isPeer = false): void => {
    for (const [dependency, isNeeded] of needsOf(wanted, isPeer)) {
      const found = findFolder(lock, folder, dependency);
      if (found === undefined) {
        if (isNeeded)
          throw new Error(`${dependency}, which ${folder || name} needs, is not in package-lock.json`);
        continue;
      }
      if (reached.has(found)) continue;
      const { dev: _dev, devOptional: _devOptional, ...locked } = lock.packages[found] ?? {};
      reached.set(found, locked);
      visit(found, locked, true);
    }
  };
  const own = { name, version, license, bin, engines, dependencies, optionalDependencies };
  visit('', own);
  return {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: Object.fromEntries([
      ['', own],
      ...[...reached].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ]) as Lockfile['packages'],
  };
}

function needsOf(
  { dependencies = {}, optionalDependencies = {}, peerDependencies = {} }: LockedPackage,
  withPeers: boolean,
): readonly (readonly [name: string, isNeeded: boolean])[] {
  return [
    ...Object.keys(dependencies).map((each) => [each, true] as const),
    ...Object.keys(optionalDependencies).map((each) => [each, false] as const),
    // Optional peers are there when somebody else brought them.
    ...(withPeers ? Object.keys(peerDependencies).map((each) => [each, false] as const) : []),
  ];
}

/** As Node looks for it: beside the package, then in every folder above. */
function findFolder({ packages }: Lockfile, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (folder === '') return undefined;
    if (!folder.includes('/node_modules/')) {
      const top = `node_modules/${name}`;
      return packages[top] === undefined ? undefined : top;
    }
  }
}
