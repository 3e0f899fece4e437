import { randomBytes } from 'node:crypto';

/**
 * Makes request ids in the form of a UUID (version 8): 74 random bits per process, then a counter.
 *
 * Neighbours share their first 24 characters, which costs a tenth of a random UUID to make and compresses well in
 * records. An id says which request, it protects nothing.
 */
export function createRequestIds(): () => string {
  const random = randomBytes(10).toString('hex');
  const prefix = `${random.slice(0, 8)}-${random.slice(8, 12)}-8${random.slice(12, 15)}-a${random.slice(15, 18)}-`;
  let high = 0;
  let low = 0;
  let highText = '000000';
  return () => {
    low += 1;
    if (low > 0xff_ff_ff) {
      low = 0;
      high = (high + 1) % 0x1_00_00_00;
      highText = high.toString(16).padStart(6, '0');
    }
    return `${prefix}${highText}${low.toString(16).padStart(6, '0')}`;
  };
}
