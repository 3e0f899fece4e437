import type { Database } from '../../proto/process/sqlite.ts';
import { moveAside, openFile, problemOf, type StoreProblem } from './file.ts';
import { prepareStatements } from './schema.ts';
import type { StoreOptions } from './store.ts';

/** An open connection with its statements. */
export interface Connection {
  readonly database: Database;
  readonly statements: ReturnType<typeof prepareStatements>;
}

/** The file under the store, through all that can happen to it. */
export interface Disk {
  /** To read from; undefined when there is nothing. */
  readable(): Connection | undefined;
  /** To write to; undefined when the disk is lived without. */
  writable(): Connection | undefined;
  problem(): StoreProblem | undefined;
  /** A write failed: said once per kind of problem. */
  failed(error: unknown, doing: string): void;
  /** A write succeeded: a passing problem is over, a file moved aside stays said. */
  succeeded(): void;
  /** What was read is wrong: moves the file aside and begins a fresh one. */
  setAside(why: string): void;
  close(): void;
}

/** Opens the file and logs what was wrong with it. */
export function openDisk({ path, log, clock }: StoreOptions): Disk {
  let file = openFile(path, clock.now());
  let problem = file.problem;
  let connection = connect(file.database);
  let isClosed = false;
  if (problem !== undefined) log.warn(problem, 'the configuration cache is not as it should be');

  return {
    readable: () => connection,
    writable: () => (file.isWritable && !isClosed ? connection : undefined),
    problem: () => problem,
    failed(error, doing) {
      if (isClosed) return;
      const next = problemOf(error, path);
      if (next.code !== problem?.code) log.error({ ...next, doing }, 'the configuration cache failed');
      problem = problem?.movedTo === undefined ? next : { ...next, movedTo: problem.movedTo };
    },
    succeeded() {
      if (problem?.movedTo === undefined) problem = undefined;
    },
    setAside(why) {
      file.database?.close();
      const movedTo = file.isWritable ? { movedTo: moveAside(path, 'corrupt', clock.now()) } : {};
      problem = { code: 'store.corrupt', detail: `${path}: ${why}`, ...movedTo };
      log.error(problem, 'the configuration cache does not verify and was set aside');
      file = file.isWritable ? openFile(path, clock.now()) : { ...file, database: undefined };
      connection = connect(file.database);
    },
    close() {
      isClosed = true;
      file.database?.close();
    },
  };
}

function connect(database: Database | undefined): Connection | undefined {
  return database && { database, statements: prepareStatements(database) };
}
