import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random } from '../kit/random.ts';
import { readTarget } from '../../data-plane/http/message/target.ts';
import { segmentsOf } from '../../data-plane/gateway/compile/flow-match.ts';
import { normalise, readingsOf } from '../../data-plane/policies/path-readings.ts';

/** What a server takes a path for, written down as that server does it and not as path-readings.ts does. */
type Server = (path: string) => string;

const bytewise = (path: string): string =>
  path.replace(/%([0-9a-fA-F]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Walks segments; `..` past the root stays there, as all of these do. */
function clean(path: string, keepsEmpty: boolean): string {
  const out: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '.' || (segment === '' && !keepsEmpty)) continue;
    if (segment === '..') out.pop();
    else out.push(segment);
  }
  return `/${out.join('/')}`;
}

const servers: Readonly<Record<string, Server>> = {
  /** Decodes, merges slashes and resolves in one pass. */
  nginx: (path) => clean(bytewise(path), false),
  /** The same with merge_slashes off. */
  nginxUnmerged: (path) => clean(bytewise(path), true),
  /** Parameters go before anything is decoded. */
  tomcat: (path) => clean(bytewise(path.replace(/;[^/]*/g, '')), false),
  tomcatBackslash: (path) => clean(bytewise(path.replace(/;[^/]*/g, '')).replaceAll('\\', '/'), false),
  /** Decodes first and takes parameters away afterwards. */
  decodesFirst: (path) => clean(bytewise(path).replace(/;[^/]*/g, ''), false),
  /** A URL parser of the web: `//x` names a host, `\` is a slash. */
  web: (path) => {
    const text = path.startsWith('/') ? path : `/${path}`;
    // What it cannot read it refuses.
    return URL.canParse(text, 'http://h') ? bytewise(new URL(text, 'http://h').pathname) : '/';
  },
  /** Splits and resolves, and decodes only what is left. */
  resolvesFirst: (path) => bytewise(clean(path, true)),
  twice: (path) => clean(bytewise(bytewise(path)), false),
  twiceBackslash: (path) => clean(bytewise(bytewise(path)).replaceAll('\\', '/'), false),
  /** A lax reader of UTF-8 takes an overlong form for what it spells. */
  overlong: (path) =>
    clean(
      bytewise(path)
        .replace(/[\xc0\xc1][\x80-\xbf]/g, (two) =>
          String.fromCharCode(((two.charCodeAt(0) & 1) << 6) | (two.charCodeAt(1) & 0x3f)),
        )
        .replace(/\xe0[\x80\x81][\x80-\xbf]/g, (three) =>
          String.fromCharCode(((three.charCodeAt(1) & 1) << 6) | (three.charCodeAt(2) & 0x3f)),
        ),
      false,
    ),
  /** Hands on what it has decoded: the next one sees a query, a fragment, the end of a text. */
  handsOnDecoded: (path) => clean((bytewise(path).split(/[?#\0]/)[0] ?? '') || '/', false),
  asItIs: (path) => path,
};

const tokens: readonly [string, ...string[]] = [
  'admin',
  'admin',
  'open',
  'x',
  '..',
  '..',
  '.',
  '',
  '/',
  '/',
  '/',
  '/',
  '//',
  '%2e',
  '%2E',
  '%2e%2e',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  ';',
  ';a=b',
  '%3b',
  '%3Ba',
  '%25',
  '%252f',
  '%252e',
  '%252e%252e',
  '%255c',
  '%253b',
  '%2500',
  '%23',
  '%3f',
  '%3F',
  '%2523',
  '%c0%af',
  '%C0%AE',
  '%c0%ae%c0%ae',
  '%e0%80%af',
  '%ff',
  '%C3%B6',
  '%c3',
  '%61dmin',
  '%2561dmin',
  'adm%69n',
  ':',
  '@',
  '%09',
  '%20',
  '+',
  '=',
  '&',
];

/** What a chain of servers takes it for, one behind the other. */
function through(names: readonly string[], path: string): string {
  return names.reduce((read, name) => (servers[name] ?? servers['asItIs'])?.(read) ?? read, path);
}

const isUnder = (path: string, first: string): boolean => segmentsOf(normalise(path))[0] === first;

test('whatever a server, or two in a row, take a path for: a reading says so, or that it leads out', () => {
  const seed = Number(process.env['READINGS_SEED'] ?? 1);
  const random = new Random(seed, 0);
  const names = Object.keys(servers);
  const found: string[] = [];
  for (let n = 0; n < Number(process.env['READINGS_PATHS'] ?? 300); n += 1) {
    let raw = '/';
    const pieces = 1 + random.below(9);
    for (let piece = 0; piece < pieces; piece += 1) raw += random.pick(tokens);
    const target = readTarget(raw, 'GET', { mergeSlashes: false, encodedSlash: 'keep' });
    if (typeof target === 'string') continue;
    const { others, leadsOut } = readingsOf(target.path);
    if (leadsOut) continue;
    const isMet = [target.path, ...others].some((path) => isUnder(path, 'admin'));
    for (const one of names)
      for (const other of names) {
        const read = through([one, other], `/base${target.path}`);
        const below = isUnder(read, 'base') ? `/${segmentsOf(read).slice(1).join('/')}` : undefined;
        if (below === undefined) found.push(`${raw} leads out by ${one}, ${other}: ${read}`);
        else if (below !== undefined && isUnder(below, 'admin') && !isMet)
          found.push(`${raw} is admin by ${one}, ${other}: ${read}`);
        const atRoot = through([one, other], target.path);
        if (isUnder(atRoot, 'admin') && !isMet)
          found.push(`${raw} at the root is admin by ${one}, ${other}: ${atRoot}`);
      }
  }
  const shown = found.toSorted((a, b) => a.length - b.length).slice(0, 40);
  assert.deepEqual(shown, [], `seed ${seed}, ${found.length} in all`);
});
