import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mock } from '../policies/mock.ts';
import { transformHeaders } from '../policies/transform-headers.ts';
import { readApi } from '../definition/read.ts';
import { change, faultsOf, listener, payload, shared, step } from '../definition/fixtures.ts';

/** What no head may hold: line ends, NUL and other controls, obs-text, what is past Latin-1, half a character. */
const odd = [
  'a\r\nX: y',
  'a\nb',
  'a\rb',
  'a\0b',
  'a\u001bb',
  'a\u007fb',
  'Zürich',
  'Łódź',
  '日本',
  '\ud800',
  'a\u2028b',
  '😀',
];
/** Printable ASCII in its whole. */
const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 0x20 + index));

type Place = readonly [what: string, path: string, at: (text: string) => unknown];

const headers = (name: string, value: string): object => ({ addHeaders: [{ name, value }] });
const template = (type: string, body: object): unknown =>
  change({ responseTemplates: { DEFAULT: { [type]: body } } });
const cors = (list: object): unknown => listener({ cors: { enabled: true, ...list } });
const shape = 'endpointGroups[0].sharedConfiguration.headers[0]';
const config = 'flows[0].request[0].configuration';

const values: readonly Place[] = [
  [
    'a template',
    'responseTemplates.DEFAULT.*/*.headers.X',
    (text) => template('*/*', { headers: { X: text } }),
  ],
  ['an endpoint', `${shape}.value`, (text) => shared({ headers: [{ name: 'X', value: text }] })],
  [
    'transform-headers',
    `${config}.addHeaders[0].value`,
    (text) => step({ configuration: headers('X', text) }),
  ],
  [
    'a mock',
    `${config}.headers[0].value`,
    (text) => step({ policy: 'mock', configuration: { headers: [{ name: 'X', value: text }] } }),
  ],
];
const names: readonly Place[] = [
  ['an endpoint', `${shape}.name`, (text) => shared({ headers: [{ name: text, value: 'x' }] })],
  [
    'transform-headers',
    `${config}.addHeaders[0].name`,
    (text) => step({ configuration: headers(text, 'x') }),
  ],
  [
    'what is removed',
    `${config}.removeHeaders[0]`,
    (text) => step({ configuration: { removeHeaders: [text] } }),
  ],
  [
    'what is kept',
    `${config}.whitelistHeaders[0]`,
    (text) => step({ configuration: { whitelistHeaders: [text] } }),
  ],
  ['CORS: allowed', 'listeners[0].cors.allowHeaders[0]', (text) => cors({ allowHeaders: [text] })],
  ['CORS: exposed', 'listeners[0].cors.exposeHeaders[0]', (text) => cors({ exposeHeaders: [text] })],
  ['CORS: methods', 'listeners[0].cors.allowMethods[0]', (text) => cors({ allowMethods: [text] })],
];

test('a header value that cannot be written is refused with its path, wherever it stands', () => {
  for (const [what, path, at] of values) {
    for (const text of odd) {
      const faults = faultsOf(at(text));
      assert.match(
        faults[path] ?? '',
        /printable ASCII|half a character/,
        `${what}: ${JSON.stringify(text)} ${JSON.stringify(faults)}`,
      );
    }
    for (const text of [printable, '', 'a\tb', 'x'.repeat(8_192)])
      assert.deepEqual(faultsOf(at(text)), {}, `${what}: ${text.slice(0, 100)}`);
    assert.match(faultsOf(at('x'.repeat(8_193)))[path] ?? '', /8192/, what);
  }
});

test('a header name or method that is no token is refused with its path, wherever it stands', () => {
  for (const [what, path, at] of names) {
    for (const text of [...odd, '', 'X City', 'X:', 'a,b', '"x"', 'x'.repeat(257)])
      assert.deepEqual(Object.keys(faultsOf(at(text))), [path], `${what}: ${JSON.stringify(text)}`);
    for (const text of ['X-City', 'x', "!#$%&'*+-.^_`|~09azAZ", '*'])
      assert.deepEqual(faultsOf(at(text)), {}, `${what}: ${text}`);
  }
});

test('the name of a header and the media type of a template stand as keys, and are refused as the end of their path', () => {
  for (const text of [...odd, 'X City', 'X:']) {
    const byName = faultsOf(template('*/*', { headers: { [text]: 'x' } }));
    assert.match(
      byName[`responseTemplates.DEFAULT.*/*.headers.${text}`] ?? '',
      /header name|half a character/,
      JSON.stringify(byName),
    );
    const byType = faultsOf(template(text, { body: 'x' }));
    assert.match(
      byType[`responseTemplates.DEFAULT.${text}`] ?? '',
      /media type|half a character/,
      JSON.stringify(byType),
    );
  }
  for (const type of [
    '*/*',
    'text/*',
    'application/json',
    'application/problem+json; charset="utf-8"',
    'text/html;q=1',
  ])
    assert.deepEqual(faultsOf(template(type, { body: 'Łódź' })), {}, type);
});

test('an origin is printable ASCII, as browsers send it', () => {
  for (const text of odd)
    assert.match(
      faultsOf(cors({ allowOrigin: [text] }))['listeners[0].cors.allowOrigin[0]'] ?? '',
      /origin|half a character/,
    );
  for (const text of ['*', 'null', 'https://acme.com', 'https://xn--zrich-kva.ch:8443', 'app://local'])
    assert.deepEqual(faultsOf(cors({ allowOrigin: [text] })), {}, text);
});

test('bodies, names and descriptions may hold any character', () => {
  for (const text of [...odd.filter((each) => each.isWellFormed()), printable]) {
    const free = {
      name: text,
      description: text,
      properties: [{ key: text, value: text }],
      responseTemplates: { [text]: { '*/*': { body: text } } },
      flows: [
        {
          name: text,
          request: [{ name: text, description: text, policy: 'mock', configuration: { content: text } }],
        },
      ],
    };
    assert.deepEqual(faultsOf(change(free)), {}, JSON.stringify(text));
  }
});

test('half a character is no text: it is refused with its path, in a value or a key, in every spelling', () => {
  assert.match(faultsOf(change({ name: 'a\ud800' }))['name'] ?? '', /half a character/);
  const key = { responseTemplates: { 'a\udfff': { '*/*': { body: 'x' } } } };
  assert.deepEqual(Object.keys(faultsOf(change(key))), ['responseTemplates.a\udfff']);
  const plans = { keys: { name: '\ud800', security: { type: 'API_KEY' } } };
  assert.deepEqual(Object.keys(faultsOf(change({ plans }))), ['plans.keys.name']);
  assert.deepEqual(Object.keys(faultsOf({ api: payload, plans: [{ name: '\ud800' }] })), ['plans[0].name']);
});

test('blanks around a value belong to no value', () => {
  const { api: definition } = readApi(template('*/*', { headers: { X: ' \ta b\t ' } }));
  assert.deepEqual(definition.responseTemplates['DEFAULT']?.['*/*']?.headers, { X: 'a b' });
  const [mocked] = mock.config.parse({ headers: [{ name: 'X', value: ' a ' }] }).headers;
  const [added] = transformHeaders.config.parse(headers('X', ' a ')).addHeaders;
  for (const header of [mocked, added])
    assert.ok(header?.value.kind === 'constant' && header.value.value === 'a');
});

test('one place holds at most 100 headers', () => {
  const many = (count: number): unknown =>
    template('*/*', {
      headers: Object.fromEntries(Array.from({ length: count }, (_, at) => [`X-${at}`, '1'])),
    });
  assert.deepEqual(faultsOf(many(100)), {});
  assert.match(faultsOf(many(101))['responseTemplates.DEFAULT.*/*.headers'] ?? '', /at most 100/);
});
