import { connectionFields, connectionOf } from './connection.ts';
import type { Place, Tree } from './place.ts';
import { discoveryOf, ownHealthCheckOf } from './services.ts';

/** What services of the whole API mean for its groups. */
export interface GroupServices {
  /** Of every group. */
  readonly healthCheck: Tree;
  /** Of the first group alone. */
  readonly discovery: Tree;
}

const algorithms = ['ROUND_ROBIN', 'RANDOM', 'WEIGHTED_ROUND_ROBIN', 'WEIGHTED_RANDOM'] as const;

/** Groups of endpoints; endpoints directly under `proxy`, as before there were groups, are one named default-group. */
export function endpointGroupsOf(proxy: Place, services: GroupServices): Tree {
  const groups = proxy.field('groups');
  const old = proxy.field('endpoints');
  const oldest = proxy.field('endpoint');
  const balancing = proxy.field('load_balancing', 'loadBalancing');
  const oldEndpoints = [
    ...old.items().map((endpoint) => endpointOf(endpoint, proxy)),
    ...(oldest.text() === ''
      ? []
      : [oldest.made({ name: 'default', type: 'http-proxy', configuration: { target: oldest } })]),
  ];
  const inGroups = groups.items();
  checkNames([
    ...inGroups.flatMap((group) => [
      nameOf(group),
      ...group
        .field('endpoints')
        .items()
        .map((endpoint) => endpoint.field('name')),
    ]),
    ...old.items().map((endpoint) => endpoint.field('name')),
  ]);
  const all = [
    ...inGroups.map((group, index) => groupOf(group, services, index === 0)),
    ...(oldEndpoints.length === 0
      ? []
      : [
          (old.isAbsent ? oldest : old).made({
            name: 'default-group',
            type: 'http-proxy',
            loadBalancer: balancerOf(balancing),
            endpoints: oldEndpoints,
            services: servicesOf(services, inGroups.length === 0, undefined),
          }),
        ]),
  ];
  return groups.made(all);
}

function groupOf(group: Place, services: GroupServices, isFirst: boolean): Tree {
  const own = group.field('services').field('discovery', 'serviceDiscovery');
  return group.made({
    name: nameOf(group),
    type: 'http-proxy',
    loadBalancer: balancerOf(group.field('load_balancing', 'loadBalancing', 'loadBalancer')),
    sharedConfiguration: connectionOf(group),
    endpoints: group
      .field('endpoints')
      .items()
      .map((endpoint) => endpointOf(endpoint, group)),
    services: servicesOf(services, isFirst, discoveryOf(own)),
  });
}

function servicesOf({ healthCheck, discovery }: GroupServices, isFirst: boolean, own: Tree): Tree {
  return { healthCheck, discovery: own ?? (isFirst ? discovery : undefined) };
}

function balancerOf(balancing: Place): Tree {
  const type = balancing.field('type');
  return balancing.made({ type: type.as(type.word(algorithms, 'ROUND_ROBIN')) });
}

function endpointOf(endpoint: Place, group: Place): Tree {
  const type = endpoint.field('type');
  const kind = type.text('http').toLowerCase();
  const isGrpc = kind === 'grpc';
  const inherits = endpoint.field('inherit').flag();
  // gRPC is HTTP/2, which an endpoint that inherits has to say for itself.
  const version = isGrpc ? type.as('HTTP_2') : undefined;
  if (inherits) endpoint.leave(...connectionFields);
  endpoint.leave('status');
  return endpoint.made({
    name: endpoint.field('name'),
    type: kind === 'http' || isGrpc ? 'http-proxy' : type,
    weight: weightOf(endpoint.field('weight').number()),
    secondary: endpoint.field('backup'),
    tenants: tenantsOf(endpoint.field('tenants'), endpoint.field('tenant')),
    inheritConfiguration: inherits && !isGrpc,
    configuration: { target: endpoint.field('target') },
    sharedConfigurationOverride:
      inherits && !isGrpc ? undefined : connectionOf(inherits ? group : endpoint, version),
    services: { healthCheck: ownHealthCheckOf(endpoint.field('healthcheck', 'healthCheck')) },
  });
}

/** A group without a name is called `default`. */
function nameOf(group: Place): Place {
  const name = group.field('name');
  return name.isAbsent ? name.as('default') : name;
}

/** Nothing, and less, is one. */
function weightOf(weight: Place): Place {
  return typeof weight.value === 'number' && weight.value <= 0 ? weight.as(1) : weight;
}

/** `tenant` is the spelling of older definitions, of one alone. */
function tenantsOf(tenants: Place, old: Place): Tree {
  if (old.text() === '') return tenants;
  if (tenants.isAbsent) return old.made([old]);
  if (JSON.stringify(tenants.value) !== JSON.stringify([old.value]))
    old.fault('says otherwise than tenants; allowed: one of them');
  return tenants;
}

/** Groups and endpoints have names of one kind, by which routing finds them. */
function checkNames(names: readonly Place[]): void {
  const seen = new Set<unknown>();
  for (const name of names) {
    if (!name.isAbsent && seen.has(name.value))
      name.fault(`"${name.text()}" is there twice; names of groups and endpoints are unique within an API`);
    seen.add(name.value);
  }
}
