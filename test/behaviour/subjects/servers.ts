import type { Json, Row, Subject } from '../row.ts';

const on = (path: string, servers: readonly string[], more: Json = {}): Json => ({
  type: 'http',
  paths: [{ path }],
  entrypoints: [{ type: 'http-proxy' }],
  servers,
  ...more,
});
const listening = (...listeners: readonly Json[]): Json => ({ listeners });
const cors = (allowOrigin: string): Json => ({
  cors: { enabled: true, allowOrigin: [allowOrigin], allowMethods: ['GET'] },
});
const from = { Origin: 'https://a.example' };

const rows: readonly Row[] = [
  {
    says: 'a listener without servers is on all of them',
    api: ({ id }) => listening(on(`/${id}`, [])),
    exchanges: [
      [{ server: 'inside' }, { status: 200, asked: { url: '/' } }],
      [{ server: 'outside' }, { status: 200 }],
      [{ server: 'third' }, { status: 200 }],
    ],
  },
  {
    says: 'a listener that does not speak of servers is on all of them',
    exchanges: [
      [{ server: 'inside' }, { status: 200 }],
      [{ server: 'outside' }, { status: 200 }],
    ],
  },
  {
    says: 'a listener is on the server that it names, elsewhere nobody has its path',
    api: ({ id }) => listening(on(`/${id}`, ['inside'])),
    exchanges: [
      [{ server: 'inside' }, { status: 200 }],
      [
        { server: 'outside' },
        { status: 404, body: 'No context-path matches the request URI.', asked: false },
      ],
      [{ server: 'third' }, { status: 404 }],
    ],
  },
  {
    says: 'a listener may name several servers',
    api: ({ id }) => listening(on(`/${id}`, ['outside', 'third'])),
    exchanges: [
      [{ server: 'inside' }, { status: 404 }],
      [{ server: 'outside' }, { status: 200 }],
      [{ server: 'third' }, { status: 200 }],
    ],
  },
  {
    says: 'ids of servers are compared with their case',
    api: ({ id }) => listening(on(`/${id}`, ['Inside', 'third'])),
    exchanges: [
      [{ server: 'inside' }, { status: 404 }],
      [{ server: 'third' }, { status: 200 }],
    ],
  },
  {
    says: 'a server that the gateway does not have serves nothing, the others that are named do',
    api: ({ id }) => listening(on(`/${id}`, ['nowhere', 'third'])),
    exchanges: [
      [{ server: 'third' }, { status: 200 }],
      [{ server: 'inside' }, { status: 404 }],
    ],
  },
  {
    says: "an API whose only server is another gateway's is served nowhere",
    api: ({ id }) => listening(on(`/${id}`, ['nowhere'])),
    exchanges: [
      [{ server: 'inside' }, { status: 404, asked: false }],
      [{ server: 'outside' }, { status: 404, asked: false }],
    ],
  },
  {
    says: 'listeners of one API may have different paths on different servers',
    api: ({ id }) => listening(on(`/${id}/in`, ['inside']), on(`/${id}/out`, ['outside'])),
    exchanges: [
      [
        { server: 'inside', path: '/in/x' },
        { status: 200, asked: { url: '/x' } },
      ],
      [{ server: 'inside', path: '/out/x' }, { status: 404 }],
      [
        { server: 'outside', path: '/out/x' },
        { status: 200, asked: { url: '/x' } },
      ],
      [{ server: 'outside', path: '/in/x' }, { status: 404 }],
    ],
  },
  {
    says: 'the longest path counts among those of the server that was asked',
    api: ({ id }) => listening(on(`/${id}`, []), on(`/${id}/deep`, ['inside'])),
    exchanges: [
      [{ server: 'inside', path: '/deep/x' }, { asked: { url: '/x' } }],
      [{ server: 'outside', path: '/deep/x' }, { asked: { url: '/deep/x' } }],
    ],
  },
  {
    says: 'one path of two APIs: this one is asked inside',
    api: ({ targets }) => ({
      ...listening(on('/two-apis', ['inside'])),
      endpointGroups: [
        {
          name: 'g',
          type: 'http-proxy',
          endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target: targets[1] } }],
        },
      ],
    }),
    exchanges: [
      { server: 'inside', path: '=/two-apis/x' },
      { status: 200, asked: { url: '/x', backend: 1 } },
    ],
  },
  {
    says: 'one path of two APIs: that one is asked outside',
    api: ({ targets }) => ({
      ...listening(on('/two-apis', ['outside'])),
      endpointGroups: [
        {
          name: 'g',
          type: 'http-proxy',
          endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target: targets[2] } }],
        },
      ],
    }),
    exchanges: [
      { server: 'outside', path: '=/two-apis/x' },
      { status: 200, asked: { url: '/x', backend: 2 } },
    ],
  },
  {
    says: 'a path is that of another API of the same server alone, however it is spelled',
    api: ({ id }) => listening(on(`/${id}`, ['inside']), on('/two-apis/below', ['third'])),
    exchanges: [
      [
        { server: 'inside', path: '=/two-apis/below;x' },
        { status: 200, asked: { url: '/below;x' } },
      ],
      [
        { server: 'third', path: '=/two-apis/below/x' },
        { status: 200, asked: { url: '/x' } },
      ],
    ],
  },
  {
    says: 'a virtual host is one of its server',
    api: ({ id }) =>
      listening({ ...on(`/${id}`, ['inside']), paths: [{ host: 'own.example', path: `/${id}` }] }),
    exchanges: [
      [{ server: 'inside', headers: { Host: 'own.example' } }, { status: 200 }],
      [{ server: 'inside', headers: { Host: 'other.example' } }, { status: 404 }],
      [{ server: 'outside', headers: { Host: 'own.example' } }, { status: 404 }],
    ],
  },
  {
    says: 'CORS is that of the listener of the server, at one path',
    api: ({ id }) =>
      listening(
        on(`/${id}`, ['inside'], cors('https://a.example')),
        on(`/${id}`, ['outside'], cors('https://b.example')),
        on(`/${id}`, ['third']),
      ),
    exchanges: [
      [
        { server: 'inside', headers: from },
        { headers: { 'Access-Control-Allow-Origin': 'https://a.example' } },
      ],
      [{ server: 'outside', headers: from }, { headers: { 'Access-Control-Allow-Origin': undefined } }],
      [
        { server: 'third', headers: from },
        { headers: { 'Access-Control-Allow-Origin': undefined, Vary: undefined } },
      ],
    ],
  },
  {
    says: 'an API of version 2 names its servers in proxy',
    file: ({ id, targets }) => ({
      id,
      name: id,
      gravitee: '2.0.0',
      execution_mode: 'v4-emulation-engine',
      flow_mode: 'DEFAULT',
      proxy: {
        virtual_hosts: [{ path: `/${id}` }],
        servers: ['outside'],
        groups: [{ name: 'g', endpoints: [{ name: 'e', target: targets[0], type: 'http' }] }],
      },
      plans: [{ id: 'free', name: 'free', security: 'KEY_LESS', status: 'PUBLISHED', flows: [] }],
    }),
    exchanges: [
      [{ server: 'outside' }, { status: 200 }],
      [{ server: 'inside' }, { status: 404 }],
    ],
  },
];

const server = (id: string): Json => ({ id, host: '127.0.0.1', port: 0 });

/** What APIs do, of a gateway with several servers. */
export const aboutServers: Subject = {
  name: 'servers',
  rows,
  gateway: { config: { servers: ['inside', 'outside', 'third'].map(server) } },
};
