import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRedactor } from '../redaction.ts';

const { body } = createRedactor();

/** Two lines: what is masked, and what it becomes. */
const rows: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['a value of YAML', 'password: hunter2, or not\nuser: a', 'password: ***\nuser: a'],
  ['one with blanks before the colon', 'password : hunter2', 'password : ***'],
  ['one in quotes', 'a:\n  - token: "q\\"w" # c\n    k: v', 'a:\n  - token: *** # c\n    k: v'],
  ['one in single quotes', "password: 'it''s'\nb: 1", 'password: ***\nb: 1'],
  ['a name in quotes', '"password": abc def\nb: c', '"password": ***\nb: c'],
  ['one that goes on in the next line', 'password: a\n  b c\nd: e', 'password: ***\nd: e'],
  ['a block', 'secret: |\n  one\n\n  two\nuser: a', 'secret: |\n  ***\nuser: a'],
  ['a folded block', 'secret: >-\r\n  one\r\nuser: a', 'secret: >-\r\n  ***\r\nuser: a'],
  ['a list beside its name', 'credentials:\n- a\n- b\nnext: 1', 'credentials:\n***\nnext: 1'],
  ['a map', 'credentials:\n  user: a\n  pass: b\nnext: 1', 'credentials:\n  ***\nnext: 1'],
  [
    'items of a list',
    '- password: a\n  user: b\n- password: c',
    '- password: ***\n  user: b\n- password: ***',
  ],
  ['a value with a tag', 'token: !!str abc\nb: c', 'token: ***\nb: c'],
  ['a flow of YAML', '{user: a, password: my pass, x: 1}', '{user: a, password: ***, x: 1}'],
  ['what was cut', 'password: "cut\nhere', 'password: ***'],
  [
    'an argument of GraphQL',
    '{login(password: "x", user: "y") {token}}',
    '{login(password: ***, user: "y") {token}}',
  ],
  [
    'a number',
    'mutation { login(password:1234, u: 2) { id } }',
    'mutation { login(password:***, u: 2) { id } }',
  ],
  ['a text over several lines', 'login(password: """a\n"b""", u: 2)', 'login(password: ***, u: 2)'],
  [
    'one below its name',
    '{\n  login(\n    password:\n    "x"\n    u: 1)\n}',
    '{\n  login(\n    password:\n    ***\n    u: 1)\n}',
  ],
  [
    'one whose name is a key of its own',
    '? password\n: hunter2, or not\nuser: a',
    '? password\n: ***\nuser: a',
  ],
  ['a name with marks before its colon', 'login(password, : "x", u: 2)', 'login(password, : ***, u: 2)'],
  [
    'a name with a remark behind it',
    'login(password # my own\n: "x", u: 2)',
    'login(password # my own\n: ***, u: 2)',
  ],
  [
    'the default of a variable of GraphQL',
    'query($password: String! = "x", $u: Int = 2) { a }',
    'query($password: String! = ***, $u: Int = 2) { a }',
  ],
  [
    'that of a list of them',
    'query($tokens: Int, $token: [String!]! = ["x"]) { a }',
    'query($tokens: Int, $token: [String!]! = ***) { a }',
  ],
  ['a line of properties', 'user = a\npassword = my pass\nx = 1', 'user = a\npassword = ***\nx = 1'],
  [
    'a query in JSON',
    String.raw`{"query":"mutation { login(password: \"x\", user: \"y\") { id } }","variables":{"password":"p"}}`,
    String.raw`{"query":"mutation { login(password: ***, user: \"y\") { id } }","variables":{"password":"***"}}`,
  ],
  [
    'a query in JSON without an escape',
    '{"query":"{login(password:1234,u:2){id}}","a":"b"}',
    '{"query":"{login(password:***,u:2){id}}","a":"b"}',
  ],
];

for (const [what, text, shown] of rows)
  test(`behind a name and a colon is masked: ${what}`, () => assert.equal(body(text), shown));

test('what only looks like a name and a value stays', () => {
  for (const text of [
    'at 12:30 http://a/b',
    'password:\r\nuser: a\r\n',
    'query($password: String!) { a }',
    '{"a":"b:c","d":[1]}',
    'mutation { a { token } }',
    'if (token == x || password === y) {}',
    'password, user: a',
    'password\n# a remark\nuser: a',
    'query($password: String, $u: Int = 2) { a }',
  ])
    assert.equal(body(text), text);
});

test('a long text of such names costs what it is long', () => {
  for (const text of [
    'password:x,',
    'password:\n',
    'password:',
    "password:'",
    ' password: |\n',
    'password: [\n',
    'password#a#a\n#a#a\n#a\n',
    'password,,,\n\n',
    '$password: [String ]',
    'password  = ',
  ]) {
    const cost = (times: number): number => {
      const long = text.repeat(times);
      const before = process.cpuUsage().user;
      body(long);
      return process.cpuUsage().user - before;
    };
    cost(2_000);
    const [short, long] = [Math.max(2_000, cost(5_000)), cost(50_000)];
    assert.ok(long <= 40 * short, `${text}: ${short} us, ${long} us`);
  }
});
