import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

import { detailsOf } from './issues.ts';
import { nearest } from './nearest.ts';

const rows: readonly (readonly [schema: z.ZodType, input: unknown, words: string])[] = [
  [z.string(), undefined, 'is required'],
  [z.string(), 7, 'must be a text, not a number'],
  [z.int(), 'x', 'must be a whole number, not a text'],
  [z.int(), 1.5, 'must be a whole number, not 1.5'],
  [z.int(), '10', 'must be a whole number, not the text "10"; write 10'],
  [z.int(), '-0', 'must be a whole number, not the text "-0"; write 0'],
  [z.int(), '1.5', 'must be a whole number, not a text'],
  [z.int(), '9007199254740993', 'must be a whole number, not a text'],
  [
    z.int(),
    '1'.repeat(15),
    `must be a whole number, not the text "${'1'.repeat(15)}"; write ${'1'.repeat(15)}`,
  ],
  [z.int(), ' 10', 'must be a whole number, not a text'],
  [z.int(), '', 'must be a whole number, not a text'],
  [z.int(), null, 'must be a whole number, not null'],
  [z.number(), '0.50', 'must be a number, not the text "0.50"; write 0.5'],
  [z.number(), '1e3', 'must be a number, not a text'],
  [z.number(), Number.NaN, 'must be a number'],
  [z.array(z.string()), {}, 'must be a list, not an object'],
  [z.record(z.string(), z.string()), null, 'must be an object, not null'],
  [z.boolean(), 'x', 'must be true or false, not a text'],
  [z.boolean(), 'yes', 'must be true or false, not the text "yes"; write true'],
  [z.boolean(), 'On', 'must be true or false, not the text "On"; write true'],
  [z.boolean(), 'n', 'must be true or false, not the text "n"; write false'],
  [z.boolean(), 'off', 'must be true or false, not the text "off"; write false'],
  [z.boolean(), 'false', 'must be true or false, not the text "false"; write false'],
  [z.boolean(), 1, 'must be true or false, not a number'],
  [z.string().min(1), '', 'must not be empty'],
  [z.string().min(8), 'x', 'must have at least 8 characters'],
  [z.string().max(2), 'abc', 'must have at most 2 characters'],
  [z.array(z.int()).max(1), [1, 2], 'must have at most 1 entry'],
  [z.int().min(1), 0, 'must be at least 1'],
  [z.int().max(9), 10, 'must be at most 9'],
  [z.number().lt(1), 1, 'must be less than 1'],
  [z.enum(['apple', 'pear']), 'x', 'must be one of "apple", "pear"'],
  [z.enum(['apple', 'pear']), 'APLE', 'must be one of "apple", "pear"; did you mean "apple"?'],
  [z.enum(['apple', 'pear']), 7, 'must be one of "apple", "pear"'],
  [z.literal('a'), 'b', 'must be "a"'],
  [z.uuid(), 'x', 'must be a UUID'],
  [z.url(), 'x', 'must be a URL, e.g. https://example.com/path'],
  [z.string().regex(/^a$/, 'must be an a'), 'b', 'must be an a'],
  [z.union([z.string(), z.number()]), true, 'must be a text or a number, not true or false'],
  [z.string().startsWith('/'), 'x', 'must begin with "/"'],
  [z.string().refine(() => false, 'is not what we want'), 'x', 'is not what we want'],
];

for (const [schema, input, words] of rows)
  test(`a schema that refuses says: ${words}`, () => {
    const parsed = z.object({ name: schema }).safeParse({ name: input });
    assert.deepEqual(detailsOf(parsed.error?.issues ?? []), [{ path: 'name', message: words }]);
  });

test('an unknown field is named by its own path, below where it stands', () => {
  const schema = z.object({ list: z.array(z.strictObject({ a: z.string() })) });
  const parsed = schema.safeParse({ list: [{ a: 'x', b: 1, c: 2 }] });
  assert.deepEqual(detailsOf(parsed.error?.issues ?? [], 'body'), [
    { path: 'body.list[0].b', message: 'is unknown; allowed: a' },
    { path: 'body.list[0].c', message: 'is unknown; allowed: a' },
  ]);
});

test('one unknown field is told with the one that may be meant, and of many fields none is listed', () => {
  const names = Array.from({ length: 40 }, (_, index) => [`field${index}`, z.string().optional()] as const);
  const rows: readonly (readonly [schema: z.ZodType, key: string, words: string])[] = [
    [
      z.strictObject({ description: z.string().optional() }),
      'descripton',
      'is unknown; did you mean description? allowed: description',
    ],
    [z.strictObject({ description: z.string().optional() }), 'x', 'is unknown; allowed: description'],
    [z.strictObject({}), 'x', 'is unknown'],
    [
      z.strictObject({ description: z.string().optional(), ...Object.fromEntries(names) }),
      'descripton',
      'is unknown; did you mean description?',
    ],
    [z.strictObject(Object.fromEntries(names)), 'else', 'is unknown'],
  ];
  for (const [schema, key, message] of rows)
    assert.deepEqual(detailsOf(schema.safeParse({ [key]: 1 }).error?.issues ?? []), [{ path: key, message }]);
});

test('a slip finds its word, another word finds none', () => {
  assert.equal(nearest('transform-header', ['mock', 'rate-limit', 'transform-headers']), 'transform-headers');
  assert.equal(nearest('groovy', ['mock', 'rate-limit', 'transform-headers']), undefined);
});
