import { isIP } from 'node:net';

/**
 * Whether a URL leads over plain HTTP beyond this machine, so that whoever is on the way reads along.
 *
 * A name other than localhost counts as beyond: only who resolves it knows where it leads.
 */
export function isPlainBeyondLoopback(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'ws:') return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLoopback =
    isIP(host) === 4
      ? host.startsWith('127.')
      : host === '::1' || host === 'localhost' || host.endsWith('.localhost');
  return !isLoopback;
}
