import { isIP } from 'node:net';
import { z } from 'zod';

import { splitPort } from './outbound/guard.ts';

/** The setting `host`: an empty text would silently listen on every address. */
export const ListenHost = z.string().min(1, 'must name an address: 0.0.0.0 is all of IPv4, :: is all');

/** The setting `port`. */
export const ListenPort = z.int().min(0).max(65_535);

/** An address, with a port where it is not the usual one: `192.0.2.53`, `[2001:db8::53]:5353`. */
export const AddressAndPort = z.string().refine((text) => {
  const { host } = splitPort(text);
  return isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;
}, 'must be an address, with :port where it is not 53');
