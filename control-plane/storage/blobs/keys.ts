import { Fault } from '../../../proto/faults/fault.ts';

const segmentPattern = /^[A-Za-z0-9=._-]+$/;
/** Longest key in bytes, as S3 has it. */
const keyBytesMax = 1_024;

/**
 * Checks that a key stays inside its store.
 *
 * Errors: request.invalid for an empty or dotted segment, a character outside `[A-Za-z0-9=._-]`, or too many bytes.
 */
export function checkBlobKey(key: string): void {
  const isGood =
    key.length <= keyBytesMax &&
    key.split('/').every((segment) => segmentPattern.test(segment) && segment !== '.' && segment !== '..');
  if (!isGood)
    throw new Fault('request.invalid', {
      details: [{ path: 'key', message: `"${key.slice(0, 80)}" is not an object key` }],
    });
}

/** Most bytes that are read of an object to compare it with what should be there; what has more is not it. */
export const comparedBytesMax = 256 * 1024 * 1024;
