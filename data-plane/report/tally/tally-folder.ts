import { statfsSync } from 'node:fs';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Log } from '../../../proto/process/log.ts';
import { type ReportSettings, tallyDirDefault } from '../settings.ts';

const tmpfs = 0x0102_1994;
const ramfs = 0x8584_58f6;

/** Whether a folder is one in memory: one on a disk could stall the event loop with it. */
export function isInMemory(dir: string): boolean {
  try {
    const { type } = statfsSync(dir);
    return type === tmpfs || type === ramfs;
  } catch {
    return false;
  }
}

/** Where what a kill would lose can be counted. Errors: config.invalid when somebody chose a folder that is not in memory. */
export function tallyDirOf({ tallyDir }: ReportSettings, log: Log): string | undefined {
  if (isInMemory(tallyDir)) return tallyDir;
  if (tallyDir !== tallyDirDefault)
    throw new Fault('config.invalid', {
      detail: `report.tallyDir: ${tallyDir} is no folder in memory (tmpfs).`,
      hint: 'Mount one there, or leave the setting out.',
    });
  log.info(
    { tallyDir },
    'no folder in memory is there: what a killed process loses while its spool is degraded is told by nobody',
  );
  return undefined;
}
