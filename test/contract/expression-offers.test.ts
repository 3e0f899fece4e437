import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checked,
  checkSchema,
  known,
  words,
} from '../../control-plane/management/expressions/expressions.ts';
import {
  type ExpressionKind,
  offersAt,
  type Vocabulary,
} from '../../control-plane/ui/kit/expression/complete.ts';

const vocabulary = JSON.parse(JSON.stringify({ roots: known(), words: words() })) as Vocabulary;

const placed = vocabulary.roots.flatMap(({ name, place }) => (place === undefined ? [] : [name]));

/** What is offered where `|` stands. */
function offered(marked: string, kind: ExpressionKind = 'TEMPLATE'): readonly string[] {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  return offersAt({ text, at, kind }, vocabulary).offers.map(({ name }) => name);
}

/** The text when the first that is offered is taken. */
function taken(marked: string, kind: ExpressionKind = 'TEMPLATE'): string {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  const { from, offers } = offersAt({ text, at, kind }, vocabulary);
  const [first] = offers;
  assert.ok(first, marked);
  const written = text.slice(0, from) + first.text + text.slice(at);
  const caret = from + first.text.length - first.back;
  return `${written.slice(0, caret)}|${written.slice(caret)}`;
}

test('what an expression may name is offered inside of its braces, and nothing outside', () => {
  assert.ok(offered('{#|').includes('#request'));
  assert.ok(offered('{#|').includes('#jsonPath'));
  assert.deepEqual(offered('{#reques|}'), ['#request']);
  assert.deepEqual(offered('#req|'), []);
  assert.deepEqual(offered('{"a": "b|"}'), []);
  assert.deepEqual(offered('{"a": |'), [], 'JSON is full of braces');
  assert.deepEqual(offered('{#request.method} #req|'), []);
  assert.deepEqual(offered("{#request.method == '#req|'}"), []);
  assert.ok(offered('{|', 'CONDITION').includes('#request'));
  assert.ok(offered('{#request.method == |', 'CONDITION').includes('#request'));
  assert.deepEqual(offered('#respon|', 'SELECTION_RULE'), ['#response']);
  assert.ok(offered('{"a": "{#respon|}"}').includes('#response'));
});

test('members and methods of what stands before the dot are offered, by its kind', () => {
  assert.ok(offered('{#request.|}').includes('headers'));
  assert.deepEqual(offered('{#request.hea|}'), ['headers']);
  for (const [marked, has, hasNot] of [
    ['{#request.method.|}', 'toLowerCase()', 'size()'],
    ["{#request.headers['X'].|}", 'size()', 'toLowerCase()'],
    ["{#request.headers['X'][0].|}", 'startsWith()', 'size()'],
    ["{#request.headers['a]b'][0].|}", 'startsWith()', 'size()'],
    ['{#request.ssl.client.|}', 'cn', 'headers'],
    ['{#request.path.toLowerCase().|}', 'startsWith()', 'size()'],
    ["{#request.headers.get('X').|}", 'size()', 'toLowerCase()'],
    ["{#request.method == #request.headers?.['X']?.|}", 'size()', 'toLowerCase()'],
    ['{T(Math).|}', 'abs()', 'size()'],
  ] as const) {
    const names = offered(marked);
    assert.ok(names.includes(has), `${marked}: ${names.join(' ')}`);
    assert.ok(!names.includes(hasNot), marked);
  }
  for (const none of ['{#nobody.|}', '{#request.method.constructor().|}', '{T(constructor).|}'])
    assert.deepEqual(offered(none), [], none);
});

test('attributes that gateways set are offered by name, and types', () => {
  assert.deepEqual(offered("{#context.attributes['context-|"), ['context-path']);
  assert.equal(taken("{#context.attributes['context-|"), "{#context.attributes['context-path']|");
  assert.equal(taken("{#context.attributes['context-|']}"), "{#context.attributes['context-path|']}");
  assert.ok(offered('{T(|').includes('Math'));
  assert.equal(taken('{T(Mat|'), '{T(Math)|');
  assert.equal(taken('{#request.path.toLow|}'), '{#request.path.toLowerCase(|)}');
  assert.equal(taken('{#jsonPa|}'), '{#jsonPath(|)}');
  assert.equal(taken('{|', 'CONDITION').startsWith('{#'), true);
});

test('no member that is offered is refused', () => {
  for (const { name, members = [] } of vocabulary.roots)
    for (const member of members.filter((each) => each !== 'metadata')) {
      assert.ok(offered(`{#${name}.|}`).includes(member), `${name}.${member}`);
      for (const each of offered(`{#${name}.${member}.|}`).filter((one) => !one.endsWith(')')))
        assert.deepEqual(
          checked(
            checkSchema.parse({
              text: `{#${name}.${member}.${each}}`,
              kind: 'TEMPLATE',
              phase: 'RESPONSE',
              places: placed,
            }),
          ).faults,
          [],
          each,
        );
    }
});
