import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Fault } from '../proto/faults/fault.ts';
import type { Clock } from '../proto/process/clock.ts';
import { createPeers } from '../proto/process/peers.ts';
import { systemWords } from '../proto/process/system-words.ts';
import { readTokenKey } from '../proto/trust/token-keys.ts';
import type { GatewayConfig } from './config.ts';
import { chosenHostsOf } from './endpoints/guard.ts';
import { createGeoPlaces } from './geo-places.ts';
import { createNames } from './names.ts';
import type { PolicyHost } from './policies/policy.ts';

/** The settings that policies are told of. */
type PolicyGroundSettings = Pick<GatewayConfig, 'policy' | 'listen' | 'upstream'>;

/** What settings give to policies. It asks nobody before a policy does. Errors: config.invalid for a key that cannot be used. */
export function policyPartsOf(
  { policy, listen, upstream }: PolicyGroundSettings,
  clock: Clock,
): Pick<PolicyHost, 'ground' | 'quotaMode'> {
  const peers = createPeers(listen.trustedProxies);
  return {
    quotaMode: policy.quota.mode,
    ground: {
      names: createNames(policy.dns, clock),
      isTrustedPeer: (address) => peers.isTrusted(address),
      rolesAttribute: policy.rbac.rolesAttribute,
      jwsKeys: jwsKeysOf(policy.jws.keys),
      geoPlaces: createGeoPlaces(policy.geoip, clock),
      mayBeChosen: chosenHostsOf({ upstream }),
    },
  };
}

function jwsKeysOf(settings: GatewayConfig['policy']['jws']['keys']): ReadonlyMap<string, KeyObject> {
  return new Map(
    settings.map(({ kid, key, keyFile }, index) => {
      try {
        return [kid, readTokenKey(key ?? readFileSync(keyFile ?? '', 'utf8'), 'RS256').key];
      } catch (error) {
        const path = `policy.jws.keys[${index}].${key === undefined ? 'keyFile' : 'key'}`;
        const what = key === undefined ? `the file ${keyFile} ` : '';
        throw new Fault('config.invalid', {
          details: [{ path, message: `${what}${systemWords(error)}` }],
          hint: 'Give a public key or certificate of RSA in PEM, or a file of one that the user of this process can read.',
        });
      }
    }),
  );
}
