import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import { isWithin, isWithinCpu } from '../../test/kit/pace.ts';
import { compileContent } from './template.ts';

/** What came of a template; nothing but these may come of any. */
function outcomeOf(template: string, content = '{}'): { readonly kind: string; readonly text: string } {
  const compiled = compileContent(template);
  if ('kind' in compiled) return { kind: 'refused', text: compiled.message };
  const scope = expressionScope();
  const made = compiled.render({ ...scope, request: { ...scope.request, content: Buffer.from(content) } });
  return {
    kind: made.kind,
    text: made.kind === 'value' ? made.value : made.kind === 'failed' ? made.why : '',
  };
}

const isFailed = (template: string, why: RegExp, content?: string): void => {
  const { kind, text } = outcomeOf(template, content);
  assert.ok(kind !== 'value', `${template} made ${text.slice(0, 80)}`);
  assert.match(text, why, template);
};

test('no name reaches a prototype, a constructor or a function of JavaScript', () => {
  const names = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'length',
    'class',
    'getClass',
    'call',
    'apply',
    'bind',
    '__defineGetter__',
  ];
  const values = [
    'request',
    'request.headers',
    'request.params',
    'context',
    'context.attributes',
    'context.dictionaries',
    '{}',
    '{"a": 1}',
    'request.jsonContent',
    'request.content?eval_json',
    'response',
    'request.pathParams',
    'context.attributes.claims',
  ];
  for (const value of values)
    for (const name of names) {
      if (value === 'request.params' && name === '__proto__') continue;
      assert.equal(
        outcomeOf(`<#assign v = ${value}>\${(v["${name}"]!"none")?is_string?c} \${(v.${name}!"none")}`).text,
        'true none',
        `${value} ${name}`,
      );
    }
  for (const value of ['"a"', '1', 'true', '[1]', '.now', '(1..2)', '"a"?matches("a")', '"a"?upper_case'])
    for (const name of names) isFailed(`<#assign v = ${value}>\${v["${name}"]}`, /has no member|no text/);
});

test('what leads to code in FreeMarker is refused by name', () => {
  for (const template of [
    '<#assign ex = "freemarker.template.utility.Execute"?new()>${ex("id")}',
    '${request?api.class}',
    '${request.class.protectionDomain}',
    '${request.getClass().forName("java.lang.Runtime")}',
    '${"x"?interpret}',
    '<#include "/etc/passwd">',
    '<#import "x" as y>',
    '${.data_model.keySet()}',
    '${.main?api}',
    '${"".getClass()}',
    '${request.headers.getClass()}',
  ])
    assert.notEqual(outcomeOf(template).kind, 'value', template);
});

test('what would grow without end fails at a bound', () => {
  isFailed('<#list 1.. as x>x</#list>', /more work/);
  isFailed('<#macro m><@m/></#macro><@m/>', /nested deeper than 500/);
  isFailed('<#function f n><#return f(n + 1)></#function>${f(1)}', /nested deeper than 500/);
  isFailed('<#assign x = "ab"><#list 1..100 as i><#assign x = x + x></#list>', /longer than|more work/);
  isFailed(
    '<#assign x = [1]><#list 1..100 as i><#assign x = x + x></#list>',
    /more than 100000 items|more work/,
  );
  isFailed('<#assign x = 99><#list 1..100 as i><#assign x = x * x></#list>', /more than 400 digits/);
  isFailed('${"a"?left_pad(2000000000)}', /longer than/);
  isFailed('${(1..2000000000)?join(",")}', /more than 100000 items/);
  isFailed('<#list 1..2000000000 as x>${x}</#list>', /more than 100000 items/);
  isFailed('${[1]?chunk(100000000, 1)?size}', /more work|more than/);
  isFailed('${"1e999999999"?number}', /is no number/);
  isFailed('${"1e999"?number}', /more than 400 digits/);
  isFailed('<#assign x = "a"?right_pad(90000)>${x?replace(" ", x)}', /longer than/);
  isFailed(
    '<#assign x = "a"?right_pad(900000)><#list 1..100 as i>${x}</#list>',
    /longer than 8388608|more work/,
  );
  isFailed(
    `\${"${'a'.repeat(30)}!"?matches("(a+)+")?c} \${("${'a'.repeat(5000)}!"?matches("((a|b|aa)*)*c"))?c}\${request.headers.x[0]}`,
    /missing/,
  );
  isFailed(
    '${request.content?eval_json}',
    /JSON of more than 1000 levels/,
    '['.repeat(50_000) + ']'.repeat(50_000),
  );
  isFailed('${request.content?eval}', /literals alone/, '('.repeat(40_000) + '1' + ')'.repeat(40_000));
});

test('whatever a template goes on doing, its budget ends it soon', () => {
  for (const step of [
    '${x}',
    '${x?string("#,##0.00")}',
    '${.now?string("yyyy-MM-dd HH:mm:ss EEE")}',
    '<#assign a = x * 1.5 / 7>',
    '${"<a href=\'x\'>"?json_string?xml}',
    '${"a1b2"?replace("[0-9]+", "x", "r")}',
    '<#attempt>${nope}<#recover>r</#attempt>',
    '${(a.b.c)!"x"}',
    '${s?html?length}',
    '${s?capitalize?length}',
    '${s?replace("<", "&lt;")?length}',
    '${s?split("<")?size}',
    '${s?matches("<+")?size}',
    '<#compress>${s}</#compress>',
    '${l?sort?join(",")?length}',
    '${l?map(y -> y + 1)?size}',
  ]) {
    const before = process.cpuUsage();
    isFailed(
      `<#assign s = ""?right_pad(100000, "< "), l = (1..1000)><#list 1.. as x>${step}</#list>`,
      /more work|longer than/,
    );
    const { user, system } = process.cpuUsage(before);
    isWithinCpu((user + system) / 1_000, { msMax: 1_000, what: step });
  }
});

test('a budget lasts about as long, whatever it is spent on', () => {
  /** User CPU of the shortest of some runs, in us. */
  const shortest = (template: string): number =>
    Math.min(
      ...Array.from({ length: 5 }, () => {
        const before = process.cpuUsage();
        isFailed(template, /more work/);
        return process.cpuUsage(before).user;
      }),
    );
  const sorting = shortest('<#assign l = (1..1000)><#list 1.. as x>${l?sort?join(",")?length}</#list>');
  for (const template of [
    '<#list 1..99999 as i><#list 1..99999 as j>${i}</#list></#list>',
    '<#list 1..99999 as i><#list 1..99999 as j></#list></#list>',
    '<#list 1.. as x>${(1..99999)?map(y -> y)?size}</#list>',
    '<#list 1.. as x>${(1..9999)?chunk(1)?size}</#list>',
  ]) {
    const taken = shortest(template);
    assert.ok(taken < sorting * 8, `${template} took ${taken} us, a sort ${sorting} us`);
  }
});

test('a template that is nested too deep is refused, whatever it is nested in', () => {
  const n = 5_000;
  for (const template of [
    `\${${'('.repeat(n)}1${')'.repeat(n)}}`,
    `\${${'['.repeat(n)}1${']'.repeat(n)}}`,
    `\${${'-'.repeat(n)}1}`,
    `\${${'!'.repeat(n)}true}`,
    '<#if true>'.repeat(n),
    '<#list [1] as x>'.repeat(n),
    '${"'.repeat(n),
    '<@m>'.repeat(n),
    '<#escape x as x?html>'.repeat(n),
    `\${${'x!'.repeat(n)}}`,
    `\${${'x?map(y -> '.repeat(n)}}`,
  ]) {
    const { kind, text } = outcomeOf(template);
    assert.equal(kind, 'refused', template.slice(0, 40));
    assert.match(
      text,
      /deeper than 100|stands inside|missing|expected|end of the template/,
      template.slice(0, 40),
    );
  }
  // Long without being nested: read flat, run flat or refused, never a crash.
  for (const template of [
    `\${${'1+'.repeat(20_000)}1}`,
    `\${x${'.a'.repeat(20_000)}}`,
    `\${"a"${'?trim'.repeat(20_000)}}`,
    `\${1${' == 1'.repeat(20_000)}}`,
  ])
    assert.notEqual(outcomeOf(template).kind, 'value', template.slice(0, 40));
});

test('names are looked for in no more time than reading takes, however many, long or often repeated they are', () => {
  const many = Array.from({ length: 8_000 }, (_, at) => `<#assign a${at}=1>`).join('');
  const refused = [
    `${many}${Array.from({ length: 8_000 }, (_, at) => `\${b${at}}`).join('')}`,
    `${many}\${${'b'.repeat(100_000)}}`,
    `\${nope${' + 1'.repeat(60_000)}}`,
    `\${nope${'.a'.repeat(100_000)}}`,
    `${'<#escape x as x + x + x>'.repeat(30)}\${nope}${'</#escape>'.repeat(30)}`,
  ];
  for (const template of refused) {
    const before = performance.now();
    const { kind, text } = outcomeOf(template);
    assert.equal(kind, 'refused');
    assert.ok(text.length < 1_000);
    isWithin(performance.now() - before, { msMax: 2_000, what: template.slice(0, 80) });
  }
});

test('escapes inside escapes cost no more than they may', () => {
  const deep = 60;
  isFailed(
    `${'<#escape x as x + x>'.repeat(deep)}\${"a"}${'</#escape>'.repeat(deep)}`,
    /more work|longer than|deeper/,
  );
});

const pieces = fc.constantFrom(
  '${',
  '}',
  '<#if ',
  '<#list ',
  '</#list>',
  '</#if>',
  '<#else>',
  '<#assign ',
  '<#macro m a>',
  '</#macro>',
  '<@m ',
  '/>',
  '>',
  '<#sep>',
  '<#items as x>',
  '<#function f x>',
  '<#return x>',
  '</#function>',
  '<#switch x>',
  '<#case 1>',
  '<#break>',
  '</#switch>',
  '<#attempt>',
  '<#recover>',
  '</#attempt>',
  '<#escape x as x?html>',
  '</#escape>',
  '<#compress>',
  '</#compress>',
  '<#--',
  '-->',
  '<#noparse>',
  '</#noparse>',
  '#{',
  '; m2M2',
  'request',
  'context',
  'x',
  'y',
  '.content',
  '.headers',
  '["a"]',
  '[0]',
  '[1..]',
  '(',
  ')',
  '{',
  '[',
  ']',
  '"',
  "'",
  '\\',
  '1',
  '2.5',
  'true',
  ' as x',
  ' as k, v',
  ', ',
  '?eval_json',
  '?eval',
  '?size',
  '?join(",")',
  '?replace("a", "b", "r")',
  '?matches(".*")',
  '?map(x -> x)',
  '?string("0.0")',
  '?c',
  '?then(1, 2)',
  '?keys',
  '?html',
  '!',
  '??',
  '+',
  '-',
  '*',
  '/',
  '%',
  ' == ',
  ' gt ',
  ' && ',
  '..',
  ' = ',
  '__proto__',
  'constructor',
  '\n',
  ' ',
  '\r\n',
);

test('no text crashes, hangs, or makes anything but a text or a failure', () => {
  const templates = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
    fc.array(pieces, { maxLength: 12 }).map((all) => `\${${all.join('')}}`),
    fc.array(pieces, { maxLength: 12 }).map((all) => `<#list [1, {"a": "b"}] as x>${all.join('')}</#list>`),
  );
  fc.assert(
    fc.property(templates, fc.oneof(fc.json(), fc.string()), (template, content) => {
      const { kind, text } = outcomeOf(template, content);
      assert.ok(['value', 'failed', 'refused'].includes(kind));
      assert.equal(typeof text, 'string');
      assert.ok(
        !/\[native code\]|\[object |=>/.test(kind === 'value' ? text.replaceAll(template, '') : '') ||
          content.includes('['),
      );
    }),
    { numRuns: 4_000 },
  );
});

test('a text without marks comes out as it went in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      fc.pre(!/[$#]\{|<[#/@]|^\s*\[#ftl/.test(text));
      assert.deepEqual(outcomeOf(text), { kind: 'value', text });
    }),
    { numRuns: 1_000 },
  );
});
