import { isJson, type Json } from '../opened.ts';

/** Where a document says that its API is. */
export interface Backends {
  /** Absolute URLs, the first first. */
  readonly targets: readonly string[];
  /** The path of the first server, absolute or not, without a slash at its end; `/` when it has none. */
  readonly path: string;
}

/** Most servers that become endpoints. */
const serversMax = 20;

/** Finds the backends in `servers` (3.x), or `schemes`, `host` and `basePath` (2.0). */
export function backendsOf(document: Json, target: string | undefined): Backends {
  const urls = document['swagger'] === undefined ? serverUrls(document) : [swaggerUrl(document)];
  const targets = urls.filter((url) => /^https?:\/\/[^/]/i.test(url) && URL.canParse(url));
  const [first = '/'] = urls;
  return {
    targets: target === undefined ? [...new Set(targets)].slice(0, serversMax) : [target],
    path: pathOf(first),
  };
}

function serverUrls(document: Json): readonly string[] {
  const servers = Array.isArray(document['servers']) ? document['servers'].filter(isJson) : [];
  return servers.flatMap((server) => {
    const { url, variables } = server;
    return typeof url === 'string' ? [filled(url, isJson(variables) ? variables : {})] : [];
  });
}

/** `https://{region}.example.com` with the default of each variable. */
function filled(url: string, variables: Json): string {
  return url.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const value = isJson(variable) ? variable['default'] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : whole;
  });
}

function swaggerUrl({ schemes, host, basePath }: Json): string {
  const path = typeof basePath === 'string' ? basePath : '/';
  if (typeof host !== 'string') return path;
  const offered = Array.isArray(schemes) ? schemes : ['https'];
  const scheme = offered.includes('https') || !offered.includes('http') ? 'https' : 'http';
  return `${scheme}://${host}${path.startsWith('/') ? path : `/${path}`}`;
}

function pathOf(url: string): string {
  const base = 'http://host';
  if (!URL.canParse(url, base)) return '/';
  const path = new URL(url, base).pathname.replace(/\/+$/, '');
  return path === '' ? '/' : path;
}
