import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { inspectOrder } from './order.ts';

/** A file of the house as the rules see it. */
export interface HouseFile {
  /** Path from the root of the house with `/`. */
  readonly path: string;
  readonly text: string;
}

/** One broken rule, in words that say what to do. */
export interface Breach {
  readonly rule: string;
  readonly path: string;
  readonly message: string;
}

/** The source folders at the top; nothing else may hold code. */
export const topRooms = [
  'proto',
  'data-plane',
  'control-plane',
  'bridge',
  'shipper',
  'deploy',
  'test',
] as const;

/** Rooms inside a top room. A room that is not listed does not exist. */
export const innerRooms: Readonly<Record<string, readonly string[]>> = {
  proto: [
    'wire',
    'trust',
    'model',
    'definition',
    'policies',
    'resources',
    'expression',
    'freemarker',
    'spool',
    'faults',
    'process',
  ],
  'data-plane': [
    'http',
    'gateway',
    'security',
    'local',
    'endpoints',
    'policies',
    'resources',
    'transform',
    'script',
    'debug',
    'limits',
    'redis',
    'ldap',
    'sync',
    'store',
    'report',
    'workers',
    'servers',
    'admin',
  ],
  'control-plane': [
    'storage',
    'access',
    'mail',
    'publish',
    'analytics',
    'management',
    'doors',
    'designer',
    'alerts',
    'cockpit',
    'ui',
  ],
  bridge: ['admission', 'endpoints', 'streams', 'changes'],
  shipper: ['inputs', 'filters', 'outputs', 'codecs', 'buffer'],
  deploy: [
    'client',
    'commands',
    'debug',
    'doctor',
    'packing',
    'reference',
    'production',
    'systemd',
    'docker',
    'compose',
    'k8s',
    'monitoring',
  ],
  test: ['house', 'contract', 'behaviour', 'e2e', 'sim', 'bench', 'kit'],
};

/** Lower may not import higher; equal numbers may not import each other. */
const controlPlaneFloors: Readonly<Record<string, number>> = {
  storage: 0,
  access: 1,
  mail: 1,
  publish: 2,
  analytics: 2,
  management: 3,
  designer: 4,
  alerts: 4,
  cockpit: 4,
  doors: 5,
};

/** The console runs in browsers: it knows the management API's types and nothing else of the house. */
const browserRoom = 'control-plane/ui/';

/**
 * Which npm package may be imported where: a path prefix, or a suffix when it starts with `*`. Others may be imported nowhere.
 */
const packagePlaces: Readonly<Record<string, readonly string[]>> = {
  zod: ['proto', 'data-plane', 'control-plane', 'bridge', 'shipper', 'deploy'],
  pino: ['proto/process'],
  'prom-client': ['proto/process'],
  yaml: ['proto', 'data-plane/local', 'deploy', 'control-plane/management/definitions', 'control-plane/ui'],
  'openapi-sampler': ['proto/definition/openapi'],
  'better-sqlite3': ['proto/process', 'control-plane/storage', 'data-plane/store'],
  undici: ['proto/process'],
  ws: ['proto/process', 'bridge'],
  'ipaddr.js': ['proto/process', 'data-plane'],
  ioredis: ['data-plane/redis'],
  protobufjs: ['proto/wire'],
  jose: ['proto/trust'],
  'openid-client': ['control-plane/access/identity'],
  'node-forge': ['proto/process', 'proto/trust'],
  croner: ['proto/model'],
  socks: ['data-plane/http'],
  re2js: ['proto/expression'],
  'big.js': ['proto/freemarker'],
  saxes: ['proto/expression/xml', 'proto/definition/wsdl', 'data-plane/transform'],
  'libxslt-wasm': ['data-plane/transform'],
  'libxml2-wasm': ['data-plane/transform'],
  parse5: ['data-plane/transform', 'control-plane/mail'],
  nodemailer: ['control-plane/mail'],
  'parse5-htmlparser2-tree-adapter': ['data-plane/transform'],
  'css-select': ['data-plane/transform'],
  ajv: ['proto/policies/validation'],
  'ajv-draft-04': ['proto/policies/validation'],
  'ajv-formats': ['proto/policies/validation'],
  '@js-joda/core': ['proto/expression'],
  '@grpc/grpc-js': ['test'],
  bcryptjs: ['data-plane/resources'],
  maxmind: ['data-plane'],
  'quickjs-emscripten-core': ['data-plane/script'],
  '@jitl/quickjs-wasmfile-release-sync': ['data-plane/script'],
  'lru-cache': ['proto', 'data-plane', 'control-plane', 'bridge'],
  kysely: ['control-plane/storage', 'control-plane/publish', '*.store.ts'],
  pg: ['control-plane/storage'],
  '@duckdb/node-api': ['control-plane/analytics'],
  '@aws-sdk/client-s3': ['proto/process', 'control-plane/storage/blobs', 'shipper/outputs'],
  hono: [
    'proto/process',
    'control-plane/management',
    'control-plane/doors',
    'control-plane/start.ts',
    'bridge',
    'data-plane/admin',
    'deploy',
  ],
  '@hono/node-server': ['proto/process', 'control-plane/doors', 'control-plane/start.ts', 'bridge', 'deploy'],
  '@hono/zod-openapi': ['control-plane/management', 'control-plane/doors'],
  commander: ['deploy'],
  react: ['control-plane/ui'],
  'react-dom': ['control-plane/ui'],
  '@base-ui/react': ['control-plane/ui'],
  '@tanstack/react-query': ['control-plane/ui'],
  '@tanstack/react-router': ['control-plane/ui'],
  'openapi-fetch': ['control-plane/ui'],
  'lucide-react': ['control-plane/ui'],
  marked: ['control-plane/ui'],
  qr: ['control-plane/ui'],
  uplot: ['control-plane/ui'],
  vite: ['control-plane/ui'],
  '@vitejs/plugin-react': ['control-plane/ui'],
};

/** What policies know of the sandbox of scripts; the threads behind it are their host's. */
const scriptContract: ReadonlySet<string> = new Set([
  'data-plane/script/script.ts',
  'data-plane/script/facts.ts',
  'data-plane/script/settings.ts',
]);

const bannedNames = /^(utils?|helpers?|common|shared|misc|core|lib)$/;
const sourceFile = /\.(ts|js|mjs|cjs|tsx)$/;
const lineMax = 400;
const readmeLineMax = 60;
/** Forcing a file to disk is half of what makes it durable; the other half is forgotten where it is done anew. */
const forcesToDisk = /\bf(data)?sync(Sync)?\(/;
const durableHomes = new Set(['proto/process/disk/durable-file.ts', 'proto/spool/spool-files.ts']);

/** What makes npm ask the public registry for our name, which nobody of ours owns there. */
const asksRegistry =
  /\b(npx|pnpx|bunx|npm\s+(x|exec|i|install|add)|yarn\s+(dlx|add))(\s+-\S+)*\s+isthmus\b(?!-)/;

/** Checks every rule over all files; an empty list means the house is tidy. */
export function inspect(files: readonly HouseFile[]): readonly Breach[] {
  const paths = new Set(files.map((file) => file.path));
  return [
    ...files.flatMap((file) => [...inspectPlace(file), ...inspectImports(file, paths)]),
    ...inspectReadmes(files),
    ...inspectOrder(files),
  ];
}

function inspectPlace(file: HouseFile): readonly Breach[] {
  const breaches: Breach[] = [];
  const say = (rule: string, message: string): number => breaches.push({ rule, path: file.path, message });
  const segments = file.path.split('/');
  const [top, inner] = segments;
  for (const segment of segments) {
    if (bannedNames.test(segment.replace(/\..*$/, '')))
      say('name', `"${segment}" says nothing; name the noun it holds`);
  }
  if (asksRegistry.test(file.text) && !file.path.startsWith('test/house/'))
    say(
      'registry',
      'asks the public registry for a name that is not ours; install the tarball, or run deploy/isthmus.js',
    );
  if (!sourceFile.test(file.path)) return breaches;
  if (segments.length === 1 || !topRooms.some((room) => room === top))
    say('room', 'code stands only in the rooms of the house');
  else if (
    segments.length > 2 &&
    inner !== undefined &&
    top !== undefined &&
    !innerRooms[top]?.includes(inner)
  ) {
    say(
      'room',
      `"${top}/${inner}" is not a room; add it to the house (test/house/rules.ts, ARCHITECTURE.md) or move the file`,
    );
  }
  const lines = file.text.split('\n').length - 1;
  if (lines > lineMax && !/\.generated\./.test(file.path))
    say('size', `${lines} lines; the most is ${lineMax}`);
  // The rules and their own test quote what they forbid.
  if (file.path.startsWith('test/house/')) return breaches;
  if (forcesToDisk.test(file.text) && !durableHomes.has(file.path) && top !== 'test')
    say('durable', 'forces files to disk in its own way; use proto/process/disk/durable-file.ts');
  if (/\b(test|describe|it)\.only\(|\{ only: true/.test(file.text))
    say('only', 'a test marked only hides the others');
  if (/setTimeout\(\s*(resolve|r|done)\b/.test(file.text) && file.path.endsWith('.test.ts')) {
    say('sleep', 'tests do not sleep; wait with eventually() or move a fake clock');
  }
  return breaches;
}

function inspectImports(file: HouseFile, paths: ReadonlySet<string>): readonly Breach[] {
  if (!sourceFile.test(file.path)) return [];
  const breaches: Breach[] = [];
  const say = (rule: string, message: string): number => breaches.push({ rule, path: file.path, message });
  const isTest = file.path.endsWith('.test.ts');
  const isFree = file.path.startsWith('deploy/') || file.path.startsWith('test/');
  for (const target of importsOf(file.text)) {
    if (target.startsWith('node:')) continue;
    if (builtinModules.includes(target)) {
      say('builtin', `write node:${target}`);
    } else if (target.startsWith('.')) {
      const to = normalize(join(dirname(file.path), target));
      if (!paths.has(to) && to.endsWith('.ts')) say('missing', `imports ${to}, which does not exist`);
      const why = isFree || (isTest && to.startsWith('test/kit/')) ? undefined : forbidden(file.path, to);
      if (why !== undefined) say('import', `imports ${to}: ${why}`);
    } else if (!isFree && !isTest && !mayImportPackage(file.path, target)) {
      say(
        'package',
        `${packageOf(target)} may not be imported here; see packagePlaces in test/house/rules.ts`,
      );
    }
  }
  return breaches;
}

/** Says why a file may not import another, or undefined when it may. */
function forbidden(from: string, to: string): string | undefined {
  const [fromTop, fromInner] = from.split('/');
  const [toTop, toInner] = to.split('/');
  if (toTop === 'deploy' || toTop === 'test') return 'no room imports deploy or test';
  if (from.startsWith(browserRoom) !== to.startsWith(browserRoom))
    return 'what runs in browsers and what runs on servers meet in the management API alone';
  if (fromTop === 'proto') {
    if (toTop !== 'proto') return 'proto imports no room';
    const isPlain = to.endsWith('/clock.ts') || to.endsWith('/durable-file.ts');
    if (toInner === 'process' && fromInner !== 'process' && fromInner !== 'spool' && !isPlain)
      return 'the rest of proto is pure and does not import process';
    return undefined;
  }
  if (toTop === 'proto') return undefined;
  if (fromTop !== toTop) return 'rooms import only proto and themselves';
  if (fromTop === 'control-plane' && fromInner !== toInner) {
    const fromFloor = controlPlaneFloors[fromInner ?? ''];
    const toFloor = controlPlaneFloors[toInner ?? ''];
    if (fromFloor !== undefined && toFloor !== undefined && toFloor >= fromFloor) {
      return `the order is storage < access, mail < publish, analytics < management < designer, alerts, cockpit < doors`;
    }
  }
  if (
    fromTop === 'data-plane' &&
    fromInner === 'policies' &&
    !['policies', 'transform', 'limits', 'http'].includes(toInner ?? '') &&
    !scriptContract.has(to)
  ) {
    return 'policies import proto, their contract and transform; everything with I/O arrives through their host';
  }
  if (
    fromTop === 'data-plane' &&
    fromInner === 'resources' &&
    !['resources', 'policies'].includes(toInner ?? '')
  ) {
    return 'resources import proto and their contract; everything with I/O arrives through their host';
  }
  if (
    fromTop === 'data-plane' &&
    fromInner === 'security' &&
    !['security', 'policies', 'resources', 'http'].includes(toInner ?? '')
  ) {
    return 'the security of plans imports proto, itself and the words of policies; the gateway asks it, not the other way round';
  }
  if (
    fromTop === 'data-plane' &&
    fromInner !== undefined &&
    ['gateway', 'policies', 'resources', 'security', 'local'].includes(fromInner) &&
    toInner === 'http' &&
    !to.endsWith('/exchange.ts')
  ) {
    return 'no gateway, security or policy file knows which engine runs; import exchange.ts';
  }
  return undefined;
}

function inspectReadmes(files: readonly HouseFile[]): readonly Breach[] {
  const breaches: Breach[] = [];
  const readmes = new Map(
    files.filter((file) => file.path.endsWith('README.md')).map((file) => [dirname(file.path), file.text]),
  );
  for (const room of roomsWithCode(files)) {
    const text = readmes.get(room);
    if (text === undefined)
      breaches.push({
        rule: 'readme',
        path: room,
        message: 'every room has a README.md: owns, does not own, fails how',
      });
    else if (text.trimEnd().split('\n').length > readmeLineMax && room !== 'data-plane/http') {
      breaches.push({
        rule: 'readme',
        path: room,
        message: `its README is longer than ${readmeLineMax} lines`,
      });
    }
  }
  return breaches;
}

function roomsWithCode(files: readonly HouseFile[]): ReadonlySet<string> {
  const rooms = new Set<string>();
  for (const { path } of files) {
    const [top, inner, ...rest] = path.split('/');
    if (top === undefined || top === 'test' || !sourceFile.test(path) || innerRooms[top] === undefined)
      continue;
    rooms.add(top);
    if (inner !== undefined && rest.length > 0 && top !== 'deploy' && top !== 'shipper' && top !== 'bridge')
      rooms.add(`${top}/${inner}`);
  }
  return rooms;
}

function mayImportPackage(path: string, target: string): boolean {
  const places = packagePlaces[packageOf(target)];
  return (
    places?.some((place) =>
      place.startsWith('*') ? path.endsWith(place.slice(1)) : path === place || path.startsWith(`${place}/`),
    ) === true
  );
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function importsOf(text: string): readonly string[] {
  const statements =
    /^\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;
  return [...text.matchAll(statements)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
