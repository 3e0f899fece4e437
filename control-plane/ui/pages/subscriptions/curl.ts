import type { Schemas } from '../../api/client.ts';

/** Where an API is reached, for a shell; of a path without host whose gateways nobody has named, their part is left to the reader. */
export function urlOf(exposed: string | undefined, path: string): string {
  if (exposed !== undefined) return quoted(exposed);
  return path.startsWith('/') ? `"$GATEWAY"${quoted(path)}` : quoted(`https://${path}`);
}

/** A call that a plan lets in, for a shell; without a key its place is `$KEY`, and that of a token `$TOKEN`. */
export function curlOf({
  url,
  security: { type, configuration = {} },
  apiKey,
}: {
  /** For a shell. */
  readonly url: string;
  readonly security: Schemas['PlanV4']['security'];
  readonly apiKey?: string;
}): string {
  const { source, apiKeyHeader } = configuration;
  const said = (before: string, name: string): string =>
    apiKey === undefined ? `"${before}$${name}"` : quoted(`${before}${apiKey}`);
  if (type === 'KEY_LESS') return `curl ${url}`;
  if (type === 'MTLS') return `curl ${url} \\\n  --cert client.pem --key client.key`;
  if (type !== 'API_KEY') return `curl ${url} \\\n  -H ${said('Authorization: Bearer ', 'TOKEN')}`;
  if (source === 'QUERY_PARAMETER') return `curl -G ${url} --data-urlencode ${said('api-key=', 'KEY')}`;
  const isNamed = typeof apiKeyHeader === 'string' && /^[\w-]+$/.test(apiKeyHeader);
  const header =
    source === 'BEARER' ? 'Authorization: Bearer ' : `${isNamed ? apiKeyHeader : 'X-Gravitee-Api-Key'}: `;
  return `curl ${url} \\\n  -H ${said(header, 'KEY')}`;
}

const quoted = (text: string): string =>
  /^[\w/.:~-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
