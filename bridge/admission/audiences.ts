import { isIP } from 'node:net';
import { Fault } from '../../proto/faults/fault.ts';
import { audienceOf } from '../../proto/trust/assertions.ts';
import type { BridgeConfig } from '../config.ts';

/**
 * The names under which gateways may mean this bridge: `publicUrls`, or the one address it listens on.
 *
 * Never what a request says (Host): whoever relays a request chooses that, and would turn a proof made for another bridge
 * into one for us. Listening everywhere, the bridge cannot know its name. Errors: config.invalid naming publicUrls.
 */
export function audiencesOf({ publicUrls, listen }: BridgeConfig, port: number): readonly string[] {
  if (publicUrls.length > 0) return publicUrls.map(audienceOf);
  const { host } = listen;
  const scheme = listen.tls === undefined ? 'http' : 'https';
  const at = (name: string): string => audienceOf(`${scheme}://${name}:${port}`);
  if (host === 'localhost' || host === '::1' || host.startsWith('127.'))
    return [at('localhost'), at('127.0.0.1'), at('[::1]')];
  if (host === '0.0.0.0' || host === '::' || host === '')
    throw new Fault('config.invalid', {
      details: [
        {
          path: 'publicUrls',
          message: 'must name the URLs that gateways dial, since this bridge listens on every address',
        },
      ],
    });
  return [at(isIP(host) === 6 ? `[${host}]` : host)];
}
