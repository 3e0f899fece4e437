import { createWireHeaders } from '../../../data-plane/http/message/wire-headers.ts';
import type { HeaderList } from '../../../data-plane/http/exchange.ts';

/** A header list of the gateway's engine, for tests of rooms that may not know which one runs. */
export function headersOf(lines: Readonly<Record<string, string>>): HeaderList {
  const headers = createWireHeaders();
  for (const [name, value] of Object.entries(lines)) headers.append(name, value);
  return headers;
}
