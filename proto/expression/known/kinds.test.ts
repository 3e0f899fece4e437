import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expressionScope } from '../../../test/kit/gateway/expression-scope.ts';
import { type Kind, kindAt, membersOf, rootKinds } from './kinds.ts';
import { language } from '../language.ts';
import { methodsByKind } from '../methods.ts';
import { parse } from '../parse.ts';
import { rootNames, rootOf } from '../roots.ts';
import { CalledAnswer } from '../scope.ts';
import { isAttributes, isCodec, isLines, isList, isMap, isNumber, type Value } from '../values.ts';

const kindOf = (value: Value): Kind['is'] | undefined => {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  if (isNumber(value)) return 'number';
  if (isList(value)) return 'list';
  if (isMap(value)) return 'map';
  if (isLines(value)) return 'lines';
  if (isAttributes(value)) return 'attributes';
  return isCodec(value) ? 'codec' : undefined;
};

/** Undefined for what fails or comes to nothing. */
function worth(source: string): Value | undefined {
  const made = language(source, new Set(['calloutResponse', 'upstreamResponse']));
  assert.ok(made.kind === 'compiled', `${source}: ${made.kind === 'refused' ? made.message : ''}`);
  const { headers } = expressionScope().request;
  const answer = new CalledAnswer(200, headers, Buffer.from('{}'));
  const response = { status: 204, headers, content: Buffer.from('<a/>') };
  const came = made.evaluate({
    ...expressionScope(),
    response,
    variables: new Map<string, unknown>([['calloutResponse', answer]]),
  });
  return came.kind === 'value' ? came.value : undefined;
}

test('each root reads the kind that is said of it', () => {
  for (const [name, { is }] of rootKinds) {
    const value = worth(`#${name}`);
    if (value === undefined) assert.match(name, /tenant$/, name);
    else assert.equal(kindOf(value), is, name);
  }
});

test('each member of request, response, api and node is of a kind that is known', () => {
  for (const name of rootNames()) {
    const root = rootOf(name);
    if (root?.kind !== 'members' || root.place !== undefined || name === 'subscription') continue;
    for (const member of root.members.keys())
      assert.ok(rootKinds.has(`${name}.${member}`), `${name}.${member}`);
  }
});

test('what is said of an expression’s kind holds for what it comes to, also for each method of each kind', () => {
  const subjects = [
    "'a,b'",
    '7',
    '1.5',
    "{'a', 'b'}",
    "{a: 'b'}",
    '#request.headers',
    "#request.headers['X-Tag']",
    "#request.headers['X-Tag'][1]",
    '#request.params',
    '#request.paths',
    '#request.paths[1]',
    "#request.path['1']",
    '#properties',
    '#dictionaries',
    "#dictionaries['countries']",
    '#request.ssl.client.attributes',
    '#context.attributes',
    'T(java.util.Base64).getEncoder()',
    "{1, 'a'}",
    "{1, 'a'}[0]",
    '({1, 2}.^[true])',
    '(#request.paths.?[true])',
    '(#properties.?[true])',
    "(true ? 'a' : 'b')",
    "('a' ?: 1)",
    '(1 + 1.5)',
    "('a' + 1)",
    "(1 + 'a')",
    "('a' * 2)",
    '(-1)',
    '(!true)',
    '(1 < 2)',
    "new String('a')",
    "T(String).format('%s', 1)",
    'T(Math).max(1, 2)',
  ];
  const args = ['', "'env'", '0', "'x', 'y'", '0, 1'];
  const methods = [...methodsByKind()]
    .filter(([kind]) => kind !== 'dates and their formats')
    .flatMap(([, names]) => names);
  let seen = 0;
  const check = (source: string): void => {
    const kind = kindAt(parse(source));
    if (kind === undefined || language(source).kind === 'refused') return;
    const value = worth(source);
    if (value === undefined) return;
    seen += 1;
    assert.equal(kindOf(value), kind.is, source);
    const members = membersOf(kind);
    if (members?.includes('empty') === true) assert.notEqual(worth(`(${source}).empty`), undefined, source);
  };
  for (const subject of subjects) {
    check(subject);
    for (const method of new Set(methods)) for (const given of args) check(`${subject}.${method}(${given})`);
    for (const key of ['0', "'env'", "'X-Tag'", "'countries'", "'cn'"]) check(`${subject}[${key}]`);
  }
  assert.ok(seen > 300, String(seen));
});
