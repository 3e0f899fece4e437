import type { Engine } from '../exchange.ts';
import { createHeaderList } from '../headers.ts';
import { listenPlain } from './server.ts';
import { createPlainUpstream } from './upstream.ts';

/** The plain engine: Node's own HTTP server and undici. It is the yardstick of the hand-made one. */
export function createPlainEngine(): Engine {
  return {
    name: 'plain',
    listen: listenPlain,
    createUpstream: createPlainUpstream,
    createHeaders: () => createHeaderList(),
  };
}
