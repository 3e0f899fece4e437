import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { sectionsOf } from '../../proto/process/config-file.ts';
import { isPlainBeyondLoopback } from '../../proto/process/plain-http.ts';
import { audienceOf } from '../../proto/trust/assertions.ts';
import { loadFor, type ConfigFlags } from '../command.ts';
import { bridgeProcessSchema } from '../processes.ts';

/**
 * What will not go well for gateways that dial this address: by the bridge's own settings, where they stand beside the control plane's,
 * and by what a machine refuses to send in the open. Empty when nothing is known against it.
 */
export function doubtsOf(address: string, flags: Pick<ConfigFlags, 'config'>): readonly string[] {
  const doubts: string[] = [];
  const bridge = settingsOfBridge(flags);
  const names = bridge?.publicUrls ?? [];
  if (names.length > 0 && !names.map(audienceOf).includes(audienceOf(address)))
    doubts.push(
      `the bridge is called ${names.join(', ')} (publicUrls): it refuses gateways that dial ${address}; add that there, or name one of those with --bridge`,
    );
  else if (bridge?.listen.tls !== undefined && address.startsWith('http:'))
    doubts.push(
      `the bridge speaks TLS (listen.tls) and ${address} is plain HTTP; name it by https with --bridge`,
    );
  if (isPlainBeyondLoopback(address))
    doubts.push(
      `${address} is plain HTTP: machines refuse to enrol by it, unless each does it by isthmus enroll --set bridge.allowPlainHttp=true`,
    );
  return doubts;
}

/** Undefined when they are elsewhere, or not valid: the bridge says so itself. */
function settingsOfBridge({ config }: Pick<ConfigFlags, 'config'>) {
  try {
    const isBeside =
      config !== undefined && sectionsOf(config, gatewayConfigSchema)?.includes('bridge') === true;
    return loadFor(bridgeProcessSchema, { process: 'bridge', flags: isBeside ? { config } : {} }).config;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
