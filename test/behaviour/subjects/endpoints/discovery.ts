import { endpoint, flow, step } from '../../pieces.ts';
import type { Json, Row, RowPlace, Subject } from '../../row.ts';

const found = ({ consul }: RowPlace, service: string, more: Json = {}): Json => ({
  services: {
    discovery: {
      enabled: true,
      type: 'consul-service-discovery',
      configuration: { url: consul, service, ...more },
    },
  },
});
const groupOf = (name: string, more: Json): Json => ({ name, type: 'http-proxy', endpoints: [], ...more });
const groups = (...all: readonly Json[]): Json => ({ endpointGroups: all });
const routed = (name: string): Json =>
  flow(`/${name}`, {
    request: [step('dynamic-routing', { rules: [{ pattern: '/.*', url: `{#endpoints['${name}']}` }] })],
  });

const rows: readonly Row[] = [
  {
    says: 'the instance of a service that Consul knows gets the requests',
    api: (place) => groups(groupOf('found', found(place, 'one'))),
    exchanges: [{ path: '/a?b=1' }, { status: 200, asked: { backend: 1, url: '/a?b=1' }, isAwaited: true }],
  },
  {
    says: 'instances take turns',
    api: (place) => groups(groupOf('found', found(place, 'pair'))),
    exchanges: [
      [{}, { status: 200, isAwaited: true }],
      [[{}, {}, {}, {}], { statuses: [200, 200, 200, 200] }],
      [{}, { asked: { backend: 2 }, isAwaited: true }],
      [{}, { asked: { backend: 1 }, isAwaited: true }],
    ],
  },
  {
    says: 'an instance may say below which path it is',
    api: (place) => groups(groupOf('found', found(place, 'below'))),
    exchanges: [{ path: '/a' }, { asked: { backend: 1, url: '/v1/a' }, isAwaited: true }],
  },
  {
    says: 'endpoints that are written down stay beside those that are found',
    api: (place) =>
      groups(
        groupOf('found', { endpoints: [endpoint('written', place.targets[0])], ...found(place, 'one') }),
      ),
    exchanges: [
      [{}, { asked: { backend: 1 }, isAwaited: true }],
      [{}, { asked: { backend: 0 }, isAwaited: true }],
    ],
  },
  {
    says: 'a group of which nobody is found is 503, and no other group gets its requests',
    api: (place) =>
      groups(
        groupOf('found', found(place, 'nobody')),
        groupOf('other', { endpoints: [endpoint('written', place.targets[0])] }),
      ),
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'a group behind one of which nobody is found gets what is routed to it',
    api: (place) => ({
      ...groups(
        groupOf('found', found(place, 'nobody')),
        groupOf('other', { endpoints: [endpoint('written', place.targets[0])] }),
        groupOf('third', found(place, 'one')),
      ),
      flows: [routed('other'), routed('third'), routed('written')],
    }),
    exchanges: [
      [{ path: '/other' }, { status: 200, asked: { backend: 0 } }],
      [{ path: '/written' }, { status: 200, asked: { backend: 0 } }],
      [{ path: '/third' }, { status: 200, asked: { backend: 1 }, isAwaited: true }],
      [{ path: '/else' }, { status: 503, asked: false }],
    ],
  },
  {
    says: 'a discovery that is off finds nobody',
    api: ({ targets, consul }) =>
      groups(
        groupOf('default', {
          endpoints: [endpoint('written', targets[0])],
          services: {
            discovery: {
              enabled: false,
              type: 'consul-service-discovery',
              configuration: { url: consul, service: 'one' },
            },
          },
        }),
      ),
    exchanges: [
      [{}, { asked: { backend: 0 } }],
      [{}, { asked: { backend: 0 } }],
    ],
  },
];

/** What APIs do, about endpoints that are found. */
export const aboutDiscovery: Subject = { name: 'discovery', rows };
