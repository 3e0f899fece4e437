import { z } from 'zod';

/** The setting `host`: an empty text would silently listen on every address. */
export const ListenHost = z.string().min(1, 'must name an address: 0.0.0.0 is all of IPv4, :: is all');

/** The setting `port`. */
export const ListenPort = z.int().min(0).max(65_535);
