import { patternFault } from '../../expression/patterns.ts';
import { type Place, type Tree, wordsIn } from './place.ts';

/** Where an API of version 2 listens, as the one listener of version 4. */
export function listenerOf(proxy: Place, pathMappings: Place): Tree {
  proxy.leave('strip_context_path', 'stripContextPath', 'multiTenant', 'multi_tenant', 'dumpRequest');
  const host = proxy.field('preserve_host', 'preserveHost');
  if (host.flag())
    host.note(
      'idle',
      "changes nothing, as in the reference; propagateClientHost of an endpoint's http passes the client's",
    );
  return proxy.made({
    type: 'http',
    paths: pathsOf(proxy),
    pathMappings,
    entrypoints: [{ type: 'http-proxy' }],
    servers: proxy.field('servers'),
    requestValidation: proxy.field('request_validation', 'requestValidation'),
    cors: corsOf(proxy.field('cors')),
  });
}

/** Virtual hosts, or the one context path of older definitions. */
function pathsOf(proxy: Place): Tree {
  const hosts = proxy.field('virtual_hosts', 'virtualHosts');
  const contextPath = proxy.field('context_path', 'contextPath');
  if (hosts.items().length === 0 && !contextPath.isAbsent)
    return contextPath.made([contextPath.made({ path: contextPath })]);
  const readable = hosts.items().filter((host) => {
    if (typeof host.value === 'object') return true;
    host.note('doubt', 'is no object; version 2 leaves it out, and so it is here');
    return false;
  });
  return hosts.made(
    readable.map((host) =>
      host.made({
        host: host.field('host'),
        path: host.field('path'),
        overrideAccess: host.field('override_entrypoint', 'overrideEntrypoint', 'overrideAccess').flag(),
      }),
    ),
  );
}

const corsFields = wordsIn(`
  allowMethods allowHeaders exposeHeaders allowCredentials maxAge runPolicies allowPrivateNetwork
`);

/** Read only when enabled. An origin with one of `(`, `[`, `*` in it is a pattern as well. */
function corsOf(cors: Place): Tree {
  if (!cors.field('enabled').flag()) {
    cors.leave();
    return undefined;
  }
  const origins = cors.field('allowOrigin');
  const isPattern = ({ value }: Place): boolean => value !== '*' && /[([*]/.test(String(value));
  cors.leave('errorStatusCode');
  return cors.made({
    enabled: true,
    allowOrigin: origins.made(origins.items().filter((origin) => !isPattern(origin))),
    allowOriginRegex: origins.made(origins.items().filter((origin) => isPattern(origin) && isWhole(origin))),
    ...Object.fromEntries(corsFields.map((name) => [name, cors.field(name)])),
  });
}

/** Says whether a pattern can be read; a broken one version 2 ignores. */
function isWhole(origin: Place): boolean {
  const fault = typeof origin.value === 'string' ? patternFault(origin.value) : undefined;
  if (fault === undefined) return true;
  origin.note('doubt', `is a pattern that cannot be read, so no origin is allowed by it: ${fault}`);
  return false;
}

/** What of a call is logged: who speaks, what is kept of it, and of which way. */
export function analyticsOf(proxy: Place): Tree {
  const logging = proxy.field('logging');
  const old = proxy.field('loggingMode', 'logging_mode');
  const mode = logging.isAbsent ? old : logging.field('mode');
  const scope = logging.field('scope');
  const content = logging.field('content');
  const condition = logging.field('condition');
  const side = mode.word(['NONE', 'CLIENT', 'PROXY', 'CLIENT_PROXY'], 'NONE');
  const way = scope.word(['NONE', 'REQUEST', 'RESPONSE', 'REQUEST_RESPONSE'], 'NONE');
  const kept = content.word(['NONE', 'HEADERS', 'PAYLOADS', 'HEADERS_PAYLOADS'], 'NONE');
  if (side === 'NONE' || way === 'NONE' || kept === 'NONE') return { enabled: true };
  return {
    enabled: true,
    logging: logging.made({
      mode: mode.made({
        entrypoint: mode.as(side.includes('CLIENT')),
        endpoint: mode.as(side.includes('PROXY')),
      }),
      phase: scope.made({
        request: scope.as(way.includes('REQUEST')),
        response: scope.as(way.includes('RESPONSE')),
      }),
      content: content.made({
        headers: content.as(kept.includes('HEADERS')),
        payload: content.as(kept.includes('PAYLOADS')),
      }),
      condition: ['', 'null'].includes(condition.text().trim()) ? undefined : condition,
    }),
  };
}
