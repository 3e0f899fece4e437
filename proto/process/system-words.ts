import type { FaultCode } from '../faults/codes.ts';
import { Fault } from '../faults/fault.ts';
import { listenFault } from './listen.ts';

/** What the system says by a code, in words that follow the name of a file or folder. */
interface SystemWord {
  readonly fault: FaultCode;
  readonly words: string;
}

const missing: SystemWord = { fault: 'system.missing', words: 'is not there' };
const forbidden: SystemWord = { fault: 'system.forbidden', words: 'is closed to the user of this process' };
const full: SystemWord = {
  fault: 'system.full',
  words: 'has no room: its disk, or the share of this user, is full',
};
const exhausted: SystemWord = {
  fault: 'system.exhausted',
  words: 'cannot be opened: no open file or memory is left',
};
const inTheWay = (words: string): SystemWord => ({ fault: 'system.in_the_way', words });

const words: ReadonlyMap<string, SystemWord> = new Map([
  ['ENOENT', missing],
  ['EACCES', forbidden],
  ['EPERM', forbidden],
  ['EROFS', { fault: 'system.forbidden', words: 'lies where nothing may be written' }],
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EFBIG', full],
  ['EMFILE', exhausted],
  ['ENFILE', exhausted],
  ['ENOMEM', exhausted],
  ['EISDIR', inTheWay('is a folder, and has to be a file')],
  ['ENOTDIR', inTheWay('leads through a file that has to be a folder')],
  ['EEXIST', inTheWay('is there already, and is not what it has to be')],
  ['ENOTEMPTY', inTheWay('is a folder with something in it')],
  ['ELOOP', inTheWay('is a link that leads back to itself')],
  ['ENAMETOOLONG', inTheWay('has a longer name than the file system takes')],
  ['ENXIO', inTheWay('is a device or pipe that nobody serves')],
]);

/** An error of the operating system, as Node throws it. */
interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;
  readonly address?: string;
  readonly port?: number;
}

/** What SQLite makes of the same, by the part of its code that says it: it opens files of its own. */
const sqliteWords: ReadonlyMap<string, SystemWord> = new Map([
  ['SQLITE_FULL', full],
  ['SQLITE_READONLY', forbidden],
  ['SQLITE_CANTOPEN', forbidden],
  ['SQLITE_IOERR', { fault: 'system.failed', words: 'cannot be used: the disk or the file system fails' }],
]);

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';

/**
 * What the system says of a file, to follow the file's name, e.g. `is not there (ENOENT)`. An error that is none of the system's is put
 * into its own words.
 */
export function systemWords(error: unknown): string {
  if (!isSystemError(error))
    return error instanceof Error ? `cannot be read (${error.message})` : 'cannot be read';
  return `${words.get(error.code)?.words ?? 'cannot be used'} (${error.code})`;
}

/**
 * Puts an error of the operating system into words, the same for every command and process: a fault with what is wrong, with which path or
 * address, and what to do. Anything else stays what it is.
 *
 * `path`: what the operator named, when the system's word would name a file of ours beside it.
 * Errors: system.missing, system.forbidden, system.full, system.in_the_way, system.exhausted, system.failed; process.port_taken and
 *         process.port_refused for addresses.
 */
export function systemFault(error: unknown, path?: string): unknown {
  if (!isSystemError(error)) return sqliteFault(error, path) ?? error;
  const { address, port } = error;
  if (address !== undefined && error.syscall === 'listen') {
    const fault = listenFault(error, { host: address, port: port ?? 0 });
    if (fault !== error) return fault;
  }
  const of = path ?? error.dest ?? error.path;
  // What a connection says belongs to whoever dialled; here it would be without its name.
  if (of === undefined) return error;
  const word = words.get(error.code);
  const internal = `${error.code}, ${error.syscall}`;
  return new Fault(word?.fault ?? 'system.failed', {
    detail: `${of} ${word?.words ?? 'cannot be used: the disk or the file system fails'}.`,
    internal,
    cause: error,
  });
}

function sqliteFault(error: unknown, path: string | undefined): Fault | undefined {
  if (path === undefined || !(error instanceof Error) || !('code' in error)) return undefined;
  const word = sqliteWords.get(/^SQLITE_[A-Z]+/.exec(String(error.code))?.[0] ?? '');
  if (word === undefined) return undefined;
  return new Fault(word.fault, {
    detail: `${path} ${word.words}.`,
    internal: String(error.code),
    cause: error,
  });
}
