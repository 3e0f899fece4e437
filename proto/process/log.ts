import { writeSync } from 'node:fs';
import { pino, type Bindings, type DestinationStream, type Logger } from 'pino';

import { Fault } from '../faults/fault.ts';
import { createRedactor } from '../model/redaction.ts';

/** Writes JSON lines; children carry bindings. */
export type Log = Logger;

/** From chatty to silent. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** From which level on a log writes now. */
export const levelOf = (log: Log): LogLevel => logLevels.find((level) => level === log.level) ?? 'info';

/** What a log is made of. */
export interface LogOptions {
  /** The process or room, on every line. */
  readonly name: string;
  readonly level: LogLevel;
  /** Default: standard error, see {@link standardError}. */
  readonly destination?: DestinationStream;
  /** Names of parameters that carry keys, besides those that everybody knows; see proto/model/redaction.ts. */
  readonly secretParameters?: readonly string[] | undefined;
}

const MASK = '***';
// Whole words only: `keyId`, `tokenUse` and the `key` of a blob are wanted in a log, an `apiKey` is not.
const secretName =
  /^(authorization|proxy[-_]?authorization|cookies?|set[-_]?cookie|pass(word|wd|phrase)|secrets?|client[-_]?secret|(access|refresh|id|enrol(l)?ment|bearer|session)?[-_]?tokens?|(x[-_](gravitee[-_])?)?api[-_]?keys?|private[-_]?keys?|signing[-_]?key|kek|credentials?|assertion)$/i;
const depthMax = 6;

/**
 * Makes a log of JSON lines with secrets masked by name at any depth, and in texts where they look like one.
 *
 * Shape:  {"level":"warn","time":"2026-01-01T00:00:00.000Z","pid":7,"name":"gateway","msg":"..."}; a Fault under `err` keeps
 *         its code, detail, internal, hint and details; other errors keep their stack.
 * Cost:   walks every logged object; a log is not for the hot path.
 */
export function createLog({ name, level, destination, secretParameters }: LogOptions): Log {
  const masks = createMasks(createRedactor(secretParameters).text);
  const log = pino(
    {
      name,
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (line) => besides(ofEachLine, masks.value(line) as Record<string, unknown>),
      },
      serializers: { err: masks.error, error: masks.error },
      // The message itself and what is put into it; objects pass the formatter.
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((one: unknown) => (typeof one === 'string' ? masks.value(one) : one)) as typeof args,
          );
        },
      },
    },
    destination ?? standardError,
  );
  return masking(log, masks, ofEachLine);
}

/** What stands on every line already. */
const ofEachLine: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'name', 'msg']);

/** pino writes a name that a line has already a second time, and who reads the line takes one of the two: a field gives way, to `level_`. */
function besides(taken: ReadonlySet<string>, fields: Record<string, unknown>): Record<string, unknown> {
  if (!Object.keys(fields).some((key) => taken.has(key))) return fields;
  const free = (key: string): string =>
    taken.has(key) || Object.hasOwn(fields, key) ? free(`${key}_`) : key;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [taken.has(key) ? free(`${key}_`) : key, value]),
  );
}

/**
 * Standard error, written synchronously, so that the last line before a crash is not lost.
 *
 * Who reads it may be gone (EPIPE, a terminal that was closed) and its disk full: the line is lost then, and nothing else. A pipe that is
 * full for longer than 100 ms loses what does not fit, where its reader has made it non-blocking.
 */
const standardError: DestinationStream = {
  write(line) {
    const bytes = Buffer.from(line);
    let pauses = 0;
    for (let done = 0; done < bytes.length;) {
      try {
        done += writeSync(2, bytes, done);
      } catch (error) {
        const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
        if (!isFull || (pauses += 1) > fullPausesMax) return;
        Atomics.wait(sleeper, 0, 0, fullPauseMs);
      }
    }
  },
};
const fullPausesMax = 50;
const fullPauseMs = 2;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Lets the process outlive those who read its standard output and error; first thing in every process, as what is printed has no other listener. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

const plain = pino({ enabled: false });

/** pino takes the bindings of children as they are, so `child` itself masks them and keeps their names for them. */
function masking(log: Log, masks: Masks, taken: ReadonlySet<string>): Log {
  // Its own: what a child inherits is this one of its parent, which knows nothing of the child's bindings.
  const make: Log['child'] = plain.child.bind(log);
  const child: Log['child'] = (bindings, options) => {
    const own = besides(taken, masks.value(bindings) as Bindings);
    const all = new Set([...taken, ...Object.keys(own)]);
    const fieldsOf = (line: object) => besides(all, masks.value(line) as Record<string, unknown>);
    const made = make(own, { ...options, formatters: { ...options?.formatters, log: fieldsOf } });
    masking(made as unknown as Log, masks, all);
    return made;
  };
  return Object.assign(log, { child });
}

interface Masks {
  readonly value: (value: unknown, depth?: number) => unknown;
  readonly error: (error: unknown) => unknown;
}

function createMasks(text: (text: string) => string): Masks {
  const masks: Masks = {
    value(value, depth = 0) {
      if (typeof value === 'string') return text(value);
      if (typeof value !== 'object' || value === null) return value;
      if (value instanceof Error) return depth === 0 ? value : masks.error(value);
      if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
      if (value instanceof Date || value instanceof URL) return text(value.toString());
      if (depth >= depthMax) return '<deep>';
      if (Array.isArray(value)) return value.map((item) => masks.value(item, depth + 1));
      if (value instanceof Map || value instanceof Set) return masks.value([...value], depth);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          secretName.test(key) && item !== undefined && item !== null ? MASK : masks.value(item, depth + 1),
        ]),
      );
    },
    error(error) {
      if (!(error instanceof Error)) return error;
      const cause = error.cause instanceof Error ? { cause: masks.error(error.cause) } : {};
      if (error instanceof Fault) {
        return {
          type: error.name,
          code: error.code,
          message: text(error.message),
          ...(error.internal === undefined ? {} : { internal: text(error.internal) }),
          ...(error.hint === undefined ? {} : { hint: error.hint }),
          ...(error.details.length === 0 ? {} : { details: masks.value(error.details) }),
          ...cause,
        };
      }
      const code: unknown = 'code' in error ? error.code : undefined;
      return {
        type: error.name,
        message: text(error.message),
        ...(code === undefined ? {} : { code }),
        ...(error.stack === undefined ? {} : { stack: text(error.stack) }),
        ...cause,
      };
    },
  };
  return masks;
}
