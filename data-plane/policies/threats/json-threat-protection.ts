import type { HeaderList } from '../../http/exchange.ts';
import { CONTINUE, type PolicyFactory } from '../policy.ts';
import { badRequest } from './bad-request.ts';
import { JsonScanner, type JsonThreat } from './json-scanner.ts';
import { mediaTypesOf } from './media-types.ts';

/** Refuses JSON at the byte at which it exceeds what is allowed. */
export const jsonThreatProtection: PolicyFactory<'json-threat-protection'> = (config, { refuse }) => {
  const notJson = refuse('JSON_THREAT_ENFORCE_JSON', badRequest);
  const detected = refuse('JSON_THREAT_DETECTED', badRequest);
  const refusals: Readonly<Record<JsonThreat, typeof detected>> = {
    depth: refuse('JSON_THREAT_MAX_DEPTH', badRequest),
    entries: refuse('JSON_THREAT_MAX_ENTRIES', badRequest),
    name: refuse('JSON_THREAT_MAX_NAME_LENGTH', badRequest),
    value: refuse('JSON_THREAT_MAX_VALUE_LENGTH', badRequest),
    array: refuse('JSON_MAX_ARRAY_SIZE', badRequest),
    syntax: detected,
    duplicate: detected,
    unbounded: detected,
  };
  const bounds = {
    entriesMax: config.maxEntries,
    arrayMax: config.maxArraySize,
    depthMax: config.maxDepth,
    nameMax: config.maxNameLength,
    valueMax: config.maxValueLength,
    refusesDuplicates: config.preventDuplicateKey,
  };
  return {
    request: {
      needs: 'stream',
      run({ request }, _slot, passing) {
        if (!saysJson(request.headers)) return config.enforceJson ? notJson : CONTINUE;
        const scanner = new JsonScanner(bounds);
        const judge = (threat: JsonThreat | undefined) =>
          threat === undefined ? undefined : refusals[threat];
        return passing.check({
          onPiece: (bytes, start, end) => judge(scanner.read(bytes, start, end)),
          onEnd: () => judge(scanner.end()),
        });
      },
    },
  };
};

/** One of several lines is enough: somebody behind may read that one. */
function saysJson(headers: HeaderList): boolean {
  return mediaTypesOf(headers).some((type) => type === 'application/json' || type.endsWith('+json'));
}
