import { Fault } from '../faults/fault.ts';
import type { ApiDefinition } from '../model/api.ts';
import { unusableStores } from '../trust/stores.ts';

/**
 * Refuses stores of certificates and keys that stand in a definition and cannot be used: who deploys it hears so, before its gateways do.
 *
 * pathOf: where a path of the definition stands in what was sent. Errors: request.invalid with a detail per store.
 */
export function refuseUnusableStores(
  { endpointGroups }: Pick<ApiDefinition, 'endpointGroups'>,
  pathOf: (path: string) => string,
): void {
  const details = endpointGroups.flatMap(({ sharedConfiguration, services, endpoints }, g) => {
    const at = `endpointGroups[${g}]`;
    const discovery = services?.discovery?.configuration;
    return [
      ...unusableStores(sharedConfiguration.ssl, `${at}.sharedConfiguration.ssl`),
      ...(discovery !== undefined && 'ssl' in discovery
        ? unusableStores(discovery.ssl, `${at}.services.discovery.configuration.ssl`)
        : []),
      ...endpoints.flatMap(({ inheritConfiguration, sharedConfigurationOverride: { ssl } }, e) =>
        inheritConfiguration || ssl === undefined
          ? []
          : unusableStores(ssl, `${at}.endpoints[${e}].sharedConfigurationOverride.ssl`),
      ),
    ];
  });
  if (details.length > 0)
    throw new Fault('request.invalid', {
      details: details.map(({ path, message }) => ({ path: pathOf(path), message })),
    });
}
