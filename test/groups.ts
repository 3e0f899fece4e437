/** So many files at most run in one process: one that ends early takes no more with it, and four processes share a run evenly. */
const filesMax = 16;

/**
 * What a file may do that others in its process would notice, or that they would disturb. To ask the process who or where it is, to run a
 * tool to its end or to have a whole platform within it disturbs nobody.
 */
const own: readonly RegExp[] = [
  // To change the environment, to signal, to listen for its end, to ask what it holds or has used.
  /\bprocess\.(?!(?:arch|cwd|execPath|getuid|nextTick|pid|platform|version|versions)\b)/,
  /\bgc\(|node:v8|node:inspector/,
  // To change a built-in, or the time of all; a policy of the house has that name too.
  /\.mock\b|\bmock\.\w+\(|\bmock\b[^;]*from 'node:test'/,
  // To start what runs on beside it: such a file takes long, and a process for itself lets others run meanwhile.
  /\bspawn|\bfork\b|worker_threads|kit\/browser|kit\/processes\/(?!processes\.ts|whole\.ts)|\b(?:startIsthmus|runIsthmus|startNode)\b/,
];

const isOwn = (text: string): boolean => own.some((pattern) => pattern.test(text));

/**
 * Says which test files run in one process. Most of what a small one costs is to load what it tests, which its neighbours have loaded.
 *
 * A file that touches its process has it for itself, and so has each one that is run by its name.
 */
export function groupFiles(
  files: readonly string[],
  read: (file: string) => string,
): readonly (readonly string[])[] {
  const groups: string[][] = [];
  const open = new Map<string, string[]>();
  for (const file of files) {
    const [room = ''] = file.split('/');
    const isAlone = isOwn(read(file));
    const company = isAlone ? undefined : open.get(room);
    if (company !== undefined && company.length < filesMax) company.push(file);
    else {
      const group = [file];
      groups.push(group);
      if (!isAlone) open.set(room, group);
    }
  }
  return groups;
}
