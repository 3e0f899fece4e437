import { pino, type Bindings, type DestinationStream, type Logger } from 'pino';

import { Fault } from '../faults/fault.ts';

/** Writes JSON lines; children carry bindings. */
export type Log = Logger;

/** From chatty to silent. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** What a log is made of. */
export interface LogOptions {
  /** The process or room, on every line. */
  readonly name: string;
  readonly level: LogLevel;
  /** Default: standard error, written synchronously so that the last line before a crash is not lost. */
  readonly destination?: DestinationStream;
}

const MASK = '***';
// Whole words only: `keyId`, `tokenUse` and the `key` of a blob are wanted in a log, an `apiKey` is not.
const secretName =
  /^(authorization|proxy[-_]?authorization|cookies?|set[-_]?cookie|pass(word|wd|phrase)|secrets?|client[-_]?secret|(access|refresh|id|enrol(l)?ment|bearer|session)?[-_]?tokens?|(x[-_](gravitee[-_])?)?api[-_]?keys?|private[-_]?keys?|signing[-_]?key|kek|credentials?|assertion)$/i;
const urlPassword = /(\/\/[^/@\s:]*):[^/@\s]+@/g;
const bearer = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const depthMax = 6;

/**
 * Makes a log of JSON lines with secrets masked by name at any depth, and in texts where they look like one.
 *
 * Shape:  {"level":"warn","time":"2026-01-01T00:00:00.000Z","pid":7,"name":"gateway","msg":"..."}; a Fault under `err` keeps
 *         its code, detail, internal, hint and details; other errors keep their stack.
 * Cost:   walks every logged object; a log is not for the hot path.
 */
export function createLog({ name, level, destination }: LogOptions): Log {
  const log = pino(
    {
      name,
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (line) => redact(line) as Record<string, unknown>,
      },
      serializers: { err: describeError, error: describeError },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
  return masking(log);
}

/** pino takes the bindings of children as they are, so `child` itself masks them. */
function masking(log: Log): Log {
  const make: Log['child'] = log.child.bind(log);
  const child: Log['child'] = (bindings, options) => {
    const made = make(redact(bindings) as Bindings, options);
    masking(made as unknown as Log);
    return made;
  };
  return Object.assign(log, { child });
}

/** Masks passwords in URLs and bearer credentials inside a text that strangers wrote. */
export function redactText(text: string): string {
  return text.replace(urlPassword, `$1:${MASK}@`).replace(bearer, `$1 ${MASK}`);
}

function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return depth === 0 ? value : describeError(value);
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  if (value instanceof Date || value instanceof URL) return redactText(value.toString());
  if (depth >= depthMax) return '<deep>';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return redact([...value], depth);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      secretName.test(key) && item !== undefined && item !== null ? MASK : redact(item, depth + 1),
    ]),
  );
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  if (error instanceof Fault) {
    return {
      type: error.name,
      code: error.code,
      message: redactText(error.message),
      ...(error.internal === undefined ? {} : { internal: redactText(error.internal) }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.details.length === 0 ? {} : { details: error.details }),
      ...cause,
    };
  }
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...cause,
  };
}
