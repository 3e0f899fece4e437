import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { xmlOfJson } from './json-to-xml.ts';
import { jsonOfXml } from './xml-to-json.ts';

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,6}$/).filter((text) => text !== 'content');
/** What text is trimmed on its way, and what looks like a number or a word of JSON becomes that. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((made) => made.trim() === made && /^[ -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(made))
  .filter((made) => !/^(-?\d.*|true|false|null)$/i.test(made));
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 80n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
);
const { object } = fc.letrec<{ object: Members; value: unknown }>((tie) => ({
  object: fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
  // A list of one item comes back as the item, a list of none not at all, a list in a list by another name.
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    tie('object'),
    fc.array(fc.oneof({ maxDepth: 4 }, scalar, tie('object')), { minLength: 2, maxLength: 4 }),
  ),
}));
type Members = Readonly<Record<string, unknown>>;

/** As JSON, its bigints whole numbers. */
const write = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `long:${one}` : one)).replaceAll(
    /"long:(\d+)"/g,
    '$1',
  );

test('JSON that became XML becomes the same JSON again', (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(object, (value) => {
      const json = write(value);
      assert.equal(jsonOfXml(xmlOfJson(json, 'root')), `{"root":${json}}`);
    }),
    { numRuns: 500, seed },
  );
});

test('XML that became JSON becomes XML that says the same', (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(object, (value) => {
      const xml = xmlOfJson(write(value), 'root');
      const [, inner] = /^\{"root":(.*)\}$/s.exec(jsonOfXml(xml)) ?? [];
      assert.equal(xmlOfJson(inner ?? '', 'root'), xml);
    }),
    { numRuns: 200, seed },
  );
});

test('whatever stands in JSON, what comes of it is XML, or nothing', (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const anything = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
  let made = 0;
  fc.assert(
    fc.property(anything, (value) => {
      let xml;
      try {
        xml = xmlOfJson(JSON.stringify(value), 'root');
      } catch (error) {
        assert.match(String(error), /no element can have|XML cannot have|as `content`/);
        return;
      }
      made += 1;
      jsonOfXml(xml);
    }),
    { numRuns: 300, seed },
  );
  assert.ok(made > 10);
});
