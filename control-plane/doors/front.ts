import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Fault } from '../../proto/faults/fault.ts';
import { sourceOfRequest } from '../../proto/process/listening/http-listener.ts';
import type { Log } from '../../proto/process/log.ts';
import { isPrivateAddress, type Peers } from '../../proto/process/peers.ts';

/** What stands between a browser and this door. */
export interface Front {
  /** The whole URL as the caller sees it, for links. */
  urlOf(context: Context): string;
  /** Whether the caller speaks TLS, to us or to a proxy that is believed. */
  isSecure(context: Context): boolean;
  /** Where a request comes from: an address, or the /64 of one. */
  sourceOf(context: Context): string;
  /**
   * Refuses a request that a browser makes for a page of somebody else: it would bring along the credentials that the browser keeps.
   *
   * Errors: csrf.cross_site.
   */
  demandOwnPage(context: Context): void;
}

/** What it is made of. */
export interface FrontOptions {
  readonly peers: Peers;
  /** The setting `publicUrl`. */
  readonly publicUrl: string | undefined;
  readonly log: Log;
}

/** Makes the front of a door. */
export function createFront({ peers, publicUrl, log }: FrontOptions): Front {
  const base = publicUrl === undefined ? undefined : new URL(publicUrl);
  let hasTold = false;
  /** What a header of a believed proxy says of the nearest one before it. */
  const believed = (context: Context, name: string): string | undefined => {
    const incoming = incomingOf(context);
    if (incoming === undefined || !peers.isTrusted(incoming.socket.remoteAddress ?? '')) return undefined;
    return context.req.header(name)?.split(',').at(-1)?.trim();
  };
  const isSecure = (context: Context): boolean => {
    if (base !== undefined) return base.protocol === 'https:';
    return context.req.url.startsWith('https:') || believed(context, 'x-forwarded-proto') === 'https';
  };
  return {
    isSecure,
    urlOf(context) {
      const { pathname, search } = new URL(context.req.url);
      if (base !== undefined) return `${base.origin}${base.pathname.replace(/\/$/, '')}${pathname}${search}`;
      return isSecure(context) ? context.req.url.replace(/^http:/, 'https:') : context.req.url;
    },
    sourceOf(context) {
      const incoming = incomingOf(context);
      if (incoming === undefined) return 'unknown';
      const { remoteAddress = '' } = incoming.socket;
      const isClaimed = incoming.headers['x-forwarded-for'] !== undefined;
      if (isClaimed && !hasTold && !peers.isTrusted(remoteAddress) && isPrivateAddress(remoteAddress)) {
        hasTold = true;
        log.warn(
          { peer: remoteAddress, setting: 'listen.trustedProxies' },
          'a proxy that is not named says whom it speaks for; until it is, all behind it share the bounds of one source',
        );
      }
      return sourceOfRequest(incoming, peers);
    },
    demandOwnPage(context) {
      // Browsers set it on every request, and no page can: with it, nothing else needs to be asked.
      const site = context.req.header('sec-fetch-site');
      const origin = context.req.header('origin');
      const isOwn =
        site === undefined
          ? origin === undefined || isOwnOrigin(origin, context)
          : site === 'same-origin' || site === 'none';
      if (!isOwn) throw new Fault('csrf.cross_site');
    },
  };

  function isOwnOrigin(origin: string, context: Context): boolean {
    if (base !== undefined && origin === base.origin) return true;
    // A proxy may have taken TLS away, so only the host tells. A name that a stranger has led to us has no credentials in the browser.
    return URL.canParse(origin) && new URL(origin).host === new URL(context.req.url).host;
  }
}

/** The message behind a request; undefined where a test calls the door without a socket. */
export function incomingOf(context: Context): HttpBindings['incoming'] | undefined {
  return (context.env as Partial<HttpBindings> | undefined)?.incoming;
}
