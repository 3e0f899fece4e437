import type * as Http from 'node:http';
import type * as Https from 'node:https';

/**
 * Node's HTTP/1.1. Asked for by name here, and imported nowhere: an `import` reads every export, and with two of them Node loads undici and
 * HTTP/2 (13 MiB in every process on 24.21).
 */
export function http(): typeof Http {
  return process.getBuiltinModule('node:http');
}

/** The same over TLS. */
export function https(): typeof Https {
  return process.getBuiltinModule('node:https');
}

/** The reason phrase of each status. */
export const reasons: Readonly<Record<number, string | undefined>> = http().STATUS_CODES;
