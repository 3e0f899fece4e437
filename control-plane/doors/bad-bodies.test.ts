import { apiBody, environment, type Office } from '../../test/kit/control-plane/office.ts';
import { apiLimits } from '../../proto/model/api-limits.ts';

/** One bad request and what it is answered. */
export interface Case {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly wish?: NonNullable<Parameters<Office['call']>[2]>;
  readonly status: number;
  readonly code: string;
  /** A field that the details must name. */
  readonly location?: string;
}

/** What a malformed request is answered. */
export const invalid = { status: 400, code: 'request.invalid' };
const apis = `${environment}/apis`;

/** A body with a field set, or without it. */
function withField(name: string, value: unknown): object {
  return { body: { ...apiBody('/new'), [name]: value } };
}

/** A case of POST. */
export function post(path: string, wish: object | undefined, rest: object): Case {
  return { method: 'POST', path, ...(wish === undefined ? {} : { wish }), ...rest } as Case;
}

/** Bodies that no API can be made of. */
export function bodyCases(): readonly Case[] {
  const listener = (path: object): object =>
    withField('listeners', [{ type: 'HTTP', paths: [path], entrypoints: [{ type: 'http-proxy' }] }]);
  const nested = `${'['.repeat(200)}${']'.repeat(200)}`;
  const unit = (name: string, wish: object, location?: string): Case =>
    post(apis, wish, { name, ...invalid, ...(location === undefined ? {} : { location }) });
  return [
    unit('no body', {}),
    unit('not JSON', { text: '{"name":' }),
    unit('a name twice in one object', {
      text: JSON.stringify(apiBody('/new')).replace('{', '{"name":"other",'),
    }),
    unit('not UTF-8', { text: new Uint8Array([0x22, 0xff, 0x22]) }),
    unit('a list instead of an object', { body: [] }),
    unit('nested too deep', { text: `{"flows":${nested}}` }),
    unit('NUL in a text', withField('name', 'a\0b'), 'name'),
    unit(
      'half a surrogate pair',
      { text: JSON.stringify(apiBody('/new')).replace('api /new', '\\ud800') },
      'name',
    ),
    unit('__proto__ as a name', { text: '{"__proto__":{"admin":true}}' }, '__proto__'),
    unit('an unknown field', withField('nmae', 'x'), 'nmae'),
    unit('no name', withField('name', undefined), 'name'),
    unit('an empty name', withField('name', '  '), 'name'),
    unit('a name too long', withField('name', 'x'.repeat(apiLimits.nameCharsMax + 1)), 'name'),
    unit('a number as name', withField('name', 7), 'name'),
    unit('null as name', withField('name', null), 'name'),
    unit('version 2', withField('definitionVersion', 'V2'), 'definitionVersion'),
    unit('an unknown type', withField('type', 'proxy'), 'type'),
    unit('no listeners', withField('listeners', []), 'listeners'),
    unit('an unknown listener', withField('listeners', [{ type: 'FTP' }]), 'listeners[0].type'),
    unit(
      'no entrypoint',
      withField('listeners', [{ type: 'HTTP', paths: [{ path: '/x' }], entrypoints: [] }]),
      'listeners[0].entrypoints',
    ),
    unit('a path without slash', listener({ path: 'x' }), 'listeners[0].paths[0].path'),
    unit('a path with dots', listener({ path: '/a/../b' }), 'listeners[0].paths[0].path'),
    unit('a path with two slashes', listener({ path: '/a//b' }), 'listeners[0].paths[0].path'),
    unit('a path with a query', listener({ path: '/a?b' }), 'listeners[0].paths[0].path'),
    unit('a host with a port', listener({ host: 'x.example:80', path: '/a' }), 'listeners[0].paths[0].host'),
    unit(
      'the same path twice',
      withField('listeners', [
        { type: 'HTTP', paths: [{ path: '/x' }, { path: '/x/' }], entrypoints: [{ type: 'http-proxy' }] },
      ]),
      'listeners[0].paths[1]',
    ),
    unit(
      'an unknown balancer',
      withField('endpointGroups', [{ name: 'g', type: 'http-proxy', loadBalancer: { type: 'BEST' } }]),
      'endpointGroups[0].loadBalancer.type',
    ),
    unit(
      'an endpoint without type',
      withField('endpointGroups', [{ name: 'g', type: 'http-proxy', endpoints: [{ name: 'e' }] }]),
      'endpointGroups[0].endpoints[0].type',
    ),
    unit(
      'a step without policy',
      withField('flows', [{ request: [{ name: 's' }] }]),
      'flows[0].request[0].policy',
    ),
    unit(
      'an unknown selector',
      withField('flows', [{ selectors: [{ type: 'X' }] }]),
      'flows[0].selectors[0].type',
    ),
    unit('tags that repeat', withField('tags', ['a', 'a']), 'tags'),
    unit(
      'a template with a bad status',
      withField('responseTemplates', { DEFAULT: { '*/*': { statusCode: 42 } } }),
      'responseTemplates.DEFAULT.*/*.statusCode',
    ),
    post(
      apis,
      { text: '<api/>', headers: { 'content-type': 'application/xml' } },
      { name: 'XML', status: 415, code: 'request.unsupported_media_type' },
    ),
    post(
      apis,
      { text: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
      { name: 'another charset', status: 415, code: 'request.unsupported_media_type' },
    ),
    post(
      apis,
      { text: '{}', headers: { 'content-encoding': 'gzip' } },
      { name: 'a compressed body', status: 415, code: 'request.unsupported_media_type' },
    ),
    post(
      apis,
      { text: `{"name":"${'x'.repeat(1_048_576)}"}` },
      { name: 'a body too large', status: 413, code: 'request.too_large' },
    ),
    post(
      apis,
      { body: apiBody('/taken') },
      {
        name: 'a taken path',
        status: 400,
        code: 'api.listener.paths.path.exists',
        location: 'listeners[0].paths[0]',
      },
    ),
  ];
}
