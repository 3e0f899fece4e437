import type { OasOperation, OasScheme } from '../../../proto/policies/validation/oas/operations.ts';
import type { PolicyCall } from '../policy.ts';
import { cookiesOf, pairsOf } from './oas-parameters.ts';

/** Says whether a request shows all that one of the sets of schemes asks for; whether it is worth anything, nobody asks here. */
export function isShown(security: OasOperation['security'], call: PolicyCall): boolean {
  return security.length === 0 || security.some((set) => set.every((scheme) => shows(scheme, call)));
}

function shows(scheme: OasScheme, { request, connection }: PolicyCall): boolean {
  if (scheme.kind === 'certificate') return connection.clientCertificate !== undefined;
  if (scheme.kind === 'authorization')
    return request.headers
      .getAll('authorization')
      .some((line) => line.toLowerCase().startsWith(`${scheme.scheme} `));
  const { name } = scheme;
  if (scheme.in === 'header') return request.headers.has(name.toLowerCase());
  const pairs = scheme.in === 'query' ? (pairsOf(request.query) ?? []) : cookiesOf(request.headers);
  return pairs.some(([each]) => each === name);
}
