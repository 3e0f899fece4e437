import type { FaultDetail } from '../faults/fault.ts';
import { invalid } from './clean.ts';
import { isJson, type Json, type SourceApi } from './opened.ts';

/** An API whose version is known. */
export type VersionedSource = SourceApi & { readonly version: 1 | 2 | 4 };

/**
 * Finds out what an input is: where its API stands, and of which version it is.
 *
 * Shape:  a gateway payload ({gravitee: '4.0.0' | '2.0.0', ...}), an API of the management API ({definitionVersion: 'V4' | 'V2', ...}), an
 *         export ({api: {...}, plans: [...]}), a custom resource ({apiVersion, kind: 'ApiV4Definition' | 'ApiDefinition', spec}), a
 *         definition of version 1 or 2 that does not say so ({proxy: {...}, paths?: {...}}).
 * Errors: request.invalid for anything else, by its name where people are likely to have it.
 */
export function sourceOf(input: unknown): VersionedSource {
  if (!isJson(input)) throw invalid([{ path: '', message: 'must be an API definition: an object' }]);
  const resource = customResource(input);
  if (resource !== undefined) return resource;
  const foreign = foreignFormat(input);
  if (foreign !== undefined) throw invalid([foreign]);
  const { api } = input;
  if (isJson(api) && input['listeners'] === undefined) {
    refuseUnknown(input);
    const isBeside = input['plans'] !== undefined;
    const source: SourceApi = {
      api,
      at: 'api',
      plans: input['plans'] ?? api['plans'],
      plansAt: isBeside ? 'plans' : 'api.plans',
      holder: 'export',
    };
    return { ...source, version: versionOf(source) };
  }
  const source: SourceApi = {
    api: input,
    at: '',
    plans: input['plans'],
    plansAt: 'plans',
    holder: 'definition',
  };
  return { ...source, version: versionOf(source) };
}

/** Says whether a value is an object of Kubernetes. */
function isResource(input: unknown): input is Json & { readonly kind: string; readonly apiVersion: string } {
  return (
    isJson(input) &&
    typeof input['apiVersion'] === 'string' &&
    typeof input['kind'] === 'string' &&
    ['spec', 'data', 'stringData', 'metadata'].some((key) => isJson(input[key]))
  );
}

function customResource(input: Json): VersionedSource | undefined {
  if (!isResource(input)) return undefined;
  const { kind, spec } = input;
  const version = kind === 'ApiV4Definition' ? 4 : kind === 'ApiDefinition' ? 2 : undefined;
  if (version === undefined || !isJson(spec))
    throw invalid([
      {
        path: 'kind',
        message: `"${kind}" is no API: a custom resource of an API has the kind ApiV4Definition or ApiDefinition, and a spec`,
      },
    ]);
  return {
    api: spec,
    at: 'spec',
    plans: spec['plans'],
    plansAt: 'spec.plans',
    holder: 'custom-resource',
    version,
  };
}

/** Documents that people have beside definitions: every field of them would be named as unknown, which helps nobody. */
function foreignFormat(input: Json): FaultDetail | undefined {
  const named = (path: string, what: string): FaultDetail => ({
    path,
    message: `this is ${what}, and no API definition; import it into a control plane, which makes an API of it`,
  });
  if (typeof input['openapi'] === 'string') return named('openapi', 'an OpenAPI document');
  if (typeof input['swagger'] === 'string') return named('swagger', 'an OpenAPI document of version 2');
  return undefined;
}

const versions: ReadonlyMap<unknown, 1 | 2 | 4> = new Map<unknown, 1 | 2 | 4>([
  ['V4', 4],
  ['4.0.0', 4],
  ['V2', 2],
  ['2.0.0', 2],
  ['V1', 1],
  ['1.0.0', 1],
]);

function versionOf({ api, at }: SourceApi): 1 | 2 | 4 {
  const name = api['gravitee'] === undefined ? 'definitionVersion' : 'gravitee';
  const said = api[name];
  const version = versions.get(said);
  if (version !== undefined) return version;
  // Only version 4 has listeners, only those before it a proxy.
  if (said === undefined && api['proxy'] !== undefined) return api['paths'] === undefined ? 2 : 1;
  // Of another version every field would be named as unknown, which helps nobody.
  const message = `${said === undefined ? 'is required' : 'is not supported by this version'}; allowed: V4, 4.0.0, V2, 2.0.0`;
  throw invalid([{ path: at === '' ? name : `${at}.${name}`, message }]);
}

const exportKeys = new Set([
  'api',
  'plans',
  'members',
  'metadata',
  'pages',
  'apiPicture',
  'apiBackground',
  'apiMedia',
  'groups',
  'primaryOwner',
  'export',
]);

function refuseUnknown(envelope: Json): void {
  const unknown = Object.keys(envelope).filter((key) => !exportKeys.has(key));
  if (unknown.length === 0) return;
  const message = `is unknown; allowed: ${[...exportKeys].join(', ')}`;
  throw invalid(unknown.map((path) => ({ path, message })));
}
