import type { FaultDetail } from '../faults/fault.ts';
import { unknownNames } from '../faults/nearest.ts';
import { invalid } from './clean.ts';
import { openSpec } from './custom-resource.ts';
import { type FoundSource, isEmpty, isJson, type Json, portalNote, type SourceApi } from './opened.ts';
import { isApiResource, isKubernetesObject, type KubernetesObject } from './resources.ts';

/**
 * Finds out what an input is: where its API stands, and of which version it is.
 *
 * Shape:  a gateway payload ({gravitee: '4.0.0' | '2.0.0', ...}), an API of the management API ({definitionVersion: 'V4' | 'V2', ...}), an
 *         export ({api: {...}, plans: [...]}), a custom resource ({apiVersion, kind: 'ApiV4Definition' | 'ApiDefinition', spec}), a
 *         definition of version 1 or 2 that does not say so ({proxy: {...}, paths?: {...}}).
 * Errors: request.invalid for anything else, by its name where people are likely to have it.
 */
export function sourceOf(input: unknown): FoundSource {
  if (!isJson(input)) throw invalid([{ path: '', message: 'must be an API definition: an object' }]);
  if (isKubernetesObject(input)) return customResource(input);
  const foreign = foreignFormat(input);
  if (foreign !== undefined) throw invalid([foreign]);
  const { api } = input;
  if (!isJson(api) || input['listeners'] !== undefined) {
    return versioned({
      api: input,
      at: '',
      plans: input['plans'],
      plansAt: 'plans',
      holder: 'definition',
    });
  }
  const isBeside = input['plans'] !== undefined;
  const source = versioned({
    api,
    at: 'api',
    plans: input['plans'] ?? api['plans'],
    plansAt: isBeside ? 'plans' : 'api.plans',
    holder: 'export',
  });
  const beside = Object.keys(input).filter((key) => key !== 'api' && key !== 'plans');
  const faults = beside
    .filter((key) => !exportKeys.has(key))
    .map((path) => ({ path, message: unknownNames([path], [...exportKeys]) }));
  const notes = beside.filter((key) => exportKeys.has(key) && !isEmpty(input[key])).map(portalNote);
  return { ...source, notes, faults };
}

function customResource(resource: KubernetesObject): FoundSource {
  const { kind, spec: written } = resource;
  if (!isApiResource(resource) || !isJson(written))
    throw invalid([
      {
        path: 'kind',
        message: `"${kind}" is no API: the custom resource of an API is of gravitee.io, has the kind ApiV4Definition or ApiDefinition, and a spec`,
      },
    ]);
  const { spec, notes, faults } = openSpec(resource);
  const source: SourceApi = {
    api: spec,
    at: 'spec',
    plans: spec['plans'],
    plansAt: 'spec.plans',
    holder: 'custom-resource',
  };
  const version = kind === 'ApiV4Definition' ? 4 : spec['paths'] === undefined ? 2 : 1;
  return { source, version, notes, faults };
}

/**
 * What somebody sent where the body of an API of the management API is wanted, by the field that gives it away; undefined for what may be
 * such a body. Every field of it would be named as unknown, or as missing, which helps nobody.
 */
export function documentIn(body: unknown): FaultDetail | undefined {
  if (!isJson(body)) return undefined;
  const named = (path: string, what: string): FaultDetail => ({ path, message: `this is ${what}` });
  if (isKubernetesObject(body)) return named('kind', `an object of Kubernetes (${body.kind})`);
  const foreign = foreignFormat(body);
  if (foreign !== undefined) return foreign;
  if (isJson(body['api']) && body['listeners'] === undefined) return named('api', 'an export');
  const { gravitee, definitionVersion } = body;
  if (gravitee !== undefined) return named('gravitee', 'a definition as gateways get it');
  if (definitionVersion !== undefined && versionNamed(definitionVersion) !== 4)
    return named('definitionVersion', 'a definition of another version than V4');
  if (body['proxy'] !== undefined) return named('proxy', 'a definition of version 2, or an older one');
  return undefined;
}

/** Documents that people have beside definitions: every field of them would be named as unknown, which helps nobody. */
function foreignFormat(input: Json): FaultDetail | undefined {
  const named = (path: string, what: string): FaultDetail => ({
    path,
    message: `this is ${what}; allowed: a definition, an export or a custom resource`,
  });
  if (typeof input['openapi'] === 'string') return named('openapi', `an OpenAPI document${ofOpenApi}`);
  if (typeof input['swagger'] === 'string')
    return named('swagger', `an OpenAPI document of version 2${ofOpenApi}`);
  if (input['_format_version'] !== undefined)
    return named(
      '_format_version',
      'a configuration of Kong, which is not read: a service is written as an endpoint group of an API, its routes as paths of a listener',
    );
  return undefined;
}

const ofOpenApi =
  ': it describes an API and is no definition of one; a control plane makes an API of it by POST /management/v2/environments/{environment}/apis/_import/swagger, with the document as text in payload';

const versions: ReadonlyMap<unknown, 1 | 2 | 4> = new Map<unknown, 1 | 2 | 4>([
  ['V4', 4],
  ['4.0.0', 4],
  ['V2', 2],
  ['2.0.0', 2],
  ['V1', 1],
  ['1.0.0', 1],
]);

/** By its name in any case: `v4` is found in files by hand. */
function versionNamed(said: unknown): 1 | 2 | 4 | undefined {
  return versions.get(typeof said === 'string' ? said.toUpperCase() : said);
}

function versioned(source: SourceApi): FoundSource {
  return { source, version: versionOf(source), notes: [], faults: [] };
}

function versionOf({ api, at }: SourceApi): 1 | 2 | 4 {
  const name = api['gravitee'] === undefined ? 'definitionVersion' : 'gravitee';
  const said = api[name];
  const version = versionNamed(said);
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
