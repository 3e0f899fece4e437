import { Fault } from '../../proto/faults/fault.ts';
import { createNoProxy } from '../../proto/process/outbound/dial.ts';
import type { UpstreamProxy } from '../http/exchange.ts';

/** Environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for a target: HTTPS_PROXY or HTTP_PROXY by the target's scheme, unless NO_PROXY holds
 * the host ('excluded'); names in lower case count too, and go first, as with curl.
 *
 * Errors: request.invalid when the variable is no http:// URL; a proxy that is itself spoken to by TLS is not supported.
 */
export function systemProxyOf(
  target: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number },
  environment: Variables,
): UpstreamProxy | 'excluded' | 'unset' {
  const read = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? '';
  const name = target.scheme === 'https' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = read(name).trim();
  if (text === '') return 'unset';
  const isDirect = createNoProxy(
    read('NO_PROXY')
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
  if (isDirect({ host: target.host.toLowerCase(), port: target.port })) return 'excluded';
  const proxy = parse(text.includes('://') ? text : `http://${text}`);
  if (proxy !== undefined) return proxy;
  // Without the text: it may hold a password.
  throw new Fault('request.invalid', {
    detail: `useSystemProxy: the gateway's ${name} must be http://[user:password@]host:port.`,
  });
}

/** The variables that it reads, with their values. */
export function systemProxyVariables(environment: Variables): readonly (string | undefined)[] {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
  return names.flatMap((name) => [environment[name.toLowerCase()], environment[name]]);
}

function parse(text: string): UpstreamProxy | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'http:' || url.hostname === '') return undefined;
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 80 : Number(url.port),
      username: url.username === '' ? undefined : decodeURIComponent(url.username),
      password: url.password === '' ? undefined : decodeURIComponent(url.password),
    };
  } catch {
    // A % that encodes nothing: the refusal says what the variable must look like.
    return undefined;
  }
}
