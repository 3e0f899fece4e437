import { constants, existsSync, readdirSync } from 'node:fs';
import { open, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { isCode, type SpoolRef, spoolFolder } from '../../../proto/spool/folder.ts';
import { mayBeAlive } from '../../../proto/spool/owner.ts';
import { decodeTally, tallyBytesMax, tallyFile, type TallyOwner, type Unwritten } from './tally-content.ts';

/** A tally that a process left which is gone. */
export interface LeftTally {
  readonly path: string;
  readonly ref: SpoolRef;
  readonly organization: string;
  readonly unwritten: Unwritten;
}

const tallyName = /^isthmus-[0-9a-f]{32}\.tally$/;

/** Whether something was changed so long ago that nobody does any more. */
type IsSilent = (file: { readonly changedAtMs: number }) => boolean;

/** The tallies below a folder in memory of processes that wrote below `root` and are gone. Those of other users are passed over. */
export async function listLeftTallies(
  dir: string,
  root: string,
  isSilent: IsSilent,
): Promise<readonly LeftTally[]> {
  const left: LeftTally[] = [];
  const ours = resolve(root);
  for (const name of namesIn(dir)) {
    const path = join(dir, name);
    const tally = await readTally(path);
    if (
      tally?.owner.root !== ours ||
      name !== tallyFile(tally.owner.spool) ||
      !(await isGone(path, tally.owner, isSilent))
    )
      continue;
    // Again, since it may have gone on until its process was.
    const { owner, unwritten } = (await readTally(path)) ?? tally;
    const { stream, environment, spool, organization } = owner;
    const at = { stream, environment, spool };
    left.push({ path, ref: { ...at, dir: spoolFolder(root, at) }, organization, unwritten });
  }
  return left;
}

/** Whether a process has a tally of a spool, or left one that nobody has read yet. */
export const hasTally = (dir: string, spool: string): boolean => existsSync(join(dir, tallyFile(spool)));

/** Once what it says is noted elsewhere. */
export async function removeTally(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).filter((name) => tallyName.test(name));
  } catch {
    return [];
  }
}

/** Undefined for what is no tally of this user's. */
async function readTally(path: string): Promise<ReturnType<typeof decodeTally>> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size, uid } = await file.stat();
    if (uid !== process.getuid?.() || size > tallyBytesMax) return undefined;
    return decodeTally(await file.readFile());
  } catch {
    return undefined;
  } finally {
    await file?.close();
  }
}

/** A process of another host, whose memory this folder came from, cannot be asked; silence has to do. */
async function isGone(path: string, owner: TallyOwner, isSilent: IsSilent): Promise<boolean> {
  if (!mayBeAlive(owner)) return true;
  if (owner.host === hostname()) return false;
  try {
    return isSilent({ changedAtMs: (await stat(path)).mtimeMs });
  } catch {
    return false;
  }
}
