import { invalid } from '../clean.ts';
import type { OpenedApi, SourceApi } from '../opened.ts';

/**
 * Writes an API of version 1 or 2 in the words of version 4.
 *
 * Shape:  `source.api` in the spelling of payloads, v1 exports and custom resources (`proxy.virtual_hosts`, `flow_mode`), or of the
 *         management API (`proxy.virtualHosts`, `flowMode`); version 1 has `paths`.
 * Errors: request.invalid when it is not readable at all; what alone has no form in version 4 is among the faults that it returns.
 */
export function openVersion2(source: SourceApi & { readonly version: 1 | 2 }): OpenedApi {
  const { api, at, version } = source;
  const name = ['gravitee', 'definitionVersion'].find((key) => api[key] !== undefined) ?? 'proxy';
  throw invalid([
    {
      path: at === '' ? name : `${at}.${name}`,
      message: `this is a definition of version ${version}, which this version does not read; export the API as version 4 (definitionVersion V4) instead`,
    },
  ]);
}
