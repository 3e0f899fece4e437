import type { HeaderList } from '../../http/exchange.ts';

const stale = ['accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest'];

/** Takes out what was said of the bytes that a step puts others in the place of: whoever holds a body against its digest would take it for damaged. */
export function dropStaleHeaders(headers: HeaderList): void {
  for (const name of stale) headers.delete(name);
}
