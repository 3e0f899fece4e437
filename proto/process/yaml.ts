import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

const requireNow = createRequire(import.meta.url);

/**
 * Reads a YAML document, of which JSON is a part. The library is loaded with the first one: most gateways never see any.
 *
 * Errors: whatever the library throws when it is none, with line and column.
 */
export function parseYaml(text: string, options: { readonly maxAliasCount?: number } = {}): unknown {
  // A `require`, since a configuration is read in one go.
  const { parse } = requireNow('yaml') as typeof Yaml;
  return parse(text, options);
}
