import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { z } from 'zod';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import type { ExpressionScope } from '../expression/scope.ts';
import { compileContent, compileGiven } from './template.ts';

const rowSchema = z.strictObject({
  template: z.string(),
  content: z.string().default(''),
  makes: z.string().optional(),
  fails: z.literal(true).optional(),
});
const golden = z
  .array(rowSchema)
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'golden/rows.json'), 'utf8')));

/** The request that FreeMarker was given when it made the rows. */
function goldenScope(content: string): ExpressionScope {
  const scope = expressionScope();
  const headers = new Map([
    ['x-one', ['1']],
    ['x-two', ['a', 'b']],
  ]);
  const lines = {
    get: (name: string) => headers.get(name)?.[0],
    getAll: (name: string) => headers.get(name) ?? [],
    forEach: (visit: (name: string) => void) => ['X-One', 'X-Two', 'X-Two'].forEach(visit),
  };
  const body = Buffer.from(content);
  return {
    ...scope,
    request: {
      ...scope.request,
      id: 'id-1',
      path: '/shop/orders/7',
      pathInfo: '/orders/7',
      query: 'tag=a&tag=b&q=x%20y',
      headers: lines,
      content: body,
    },
    response: { status: 201, headers: lines, content: body },
    attributes: new Map<string, unknown>([
      ['application', 'app-1'],
      ['plan', 'gold'],
      ['count', 1234],
      ['ratio', 0.5],
      ['flag', true],
    ]),
    startedAtMs: 1_700_000_000_000,
    surroundings: { ...scope.surroundings, dictionaries: new Map([['cities', new Map([['par', 'Paris']])]]) },
  };
}

/** What a template makes; `fails: why` where it does not, or cannot be read. */
function make(template: string, scope = expressionScope()): string {
  const compiled = compileContent(template);
  if ('kind' in compiled) return `refused: ${compiled.message}`;
  const made = compiled.render(scope);
  return made.kind === 'value' ? made.value : `fails: ${made.kind === 'failed' ? made.why : ''}`;
}

test(`what FreeMarker made of ${golden.length} templates is made here, and what it failed at fails`, () => {
  for (const { template, content, makes } of golden) {
    const made = make(template, goldenScope(content));
    if (makes === undefined) assert.match(made, /^(refused|fails): ./, template);
    else assert.equal(made, makes, template);
  }
});

test('a request shows what expressions know of it, and so does the context', () => {
  const rows: readonly (readonly [template: string, makes: string])[] = [
    ['${request.method} ${request.path} ${request.host}', 'POST /shop/orders/42 api.example.com'],
    ['${request.headers["x-tag"]?join("+")} ${request.params.f?size}', 'red+blue 2'],
    ['${request.jsonContent.customer.name?json_string}', 'Ann \\"A\\" Lee'],
    ['${request.getMethod()} ${request.getHeaders()["X-Tenant"]?first}', 'POST acme'],
    [
      '${context.attributes.plan} ${context.attributes["custom"]} ${context.attributes.claims.groups[0]}',
      'gold prefixed a',
    ],
    ['${context.attributes.roles?join(",")} ${context.attributes.i + 1}', 'admin,dev 8'],
    ['${context.dictionaries["countries"]["fr"]} ${response.status}', 'France 204'],
    ['${request.params["__proto__"][0]} ${(request.headers["__proto__"][0])!"none"}', 'p none'],
    ['${request.content?eval_json.lines?map(l -> l.price * l.qty)?join(" ")}', '19 20'],
    ['${.now?string("yyyy")}', '2026'],
  ];
  for (const [template, makes] of rows) assert.equal(make(template), makes, template);
});

test('before there is an answer, the template has none', () => {
  const scope = { ...expressionScope(), response: undefined };
  assert.equal(make('${(response.status)!"none"}', scope), 'none');
});

test('what cannot be read is refused with line, character and the nearest name', () => {
  const rows: readonly (readonly [template: string, why: string])[] = [
    ['a\n  ${x?uper_case}', 'line 2, character 7: ?uper_case is unknown; did you mean ?upper_case?'],
    ['<#lst x as y></#lst>', 'line 1, character 1: <#lst> is unknown; did you mean #list?'],
    ['${.nwo}', 'line 1, character 3: .nwo is unknown; did you mean .now?'],
    ['<#if true>x', 'line 1, character 1: <#if> is not closed; </#if> is missing'],
    ['<#if true>x</#list>', 'line 1, character 12: </#list> stands where </#if> is expected'],
    ['${x', 'line 1, character 4: the end of the template is reached; what began with ${ needs }'],
    ['${"x}', 'line 1, character 3: the closing quote of a text is missing'],
    [
      '<#setting locale="de_DE">',
      'line 1, character 11: the setting locale is not supported by this version; number_format, boolean_format, date_format, time_format, datetime_format are. The locale is en_US and the time zone UTC',
    ],
    [
      '[#ftl]x',
      'line 1, character 1: tags in square brackets are not supported by this version: write <#if>, not [#if]',
    ],
    [
      '<#ftl output_format="HTML">x',
      'line 1, character 7: output_format of <#ftl> is not supported by this version; strip_whitespace is',
    ],
    ['${"a"?replace("b")}', 'line 1, character 7: ?replace takes 2 to 3 arguments'],
    [
      '<#list [1]>x</#list>',
      'line 1, character 1: <#list> needs a variable, <#list x as y>, or <#items as y> inside',
    ],
  ];
  for (const [template, why] of rows) assert.equal(make(template), `refused: ${why}`, template);
});

test('a name that nothing can stand behind is refused, with line, character and the nearest one', () => {
  const given = 'is not given and nowhere assigned; a template is given request, response, context';
  const rows: readonly (readonly [template: string, why: string])[] = [
    ['a\n  ${request.hedaers}', 'line 2, character 12: request has no hedaers; did you mean headers?'],
    ['${request["hedaers"]}', 'line 1, character 11: request has no hedaers; did you mean headers?'],
    ['${request.metod?upper_case}', 'line 1, character 10: request has no metod; did you mean method?'],
    ['${request.metod.x!"none"}', 'line 1, character 10: request has no metod; did you mean method?'],
    ['${nope[request.id]!"none"}', `line 1, character 3: nope ${given}`],
    ['${request.getMetod()}', 'line 1, character 10: request has no getMetod; did you mean method?'],
    ['${context.x}', 'line 1, character 10: context has no x; it has attributes, dictionaries'],
    ['<#if response.state == 1></#if>', 'line 1, character 14: response has no state; did you mean status?'],
    ['${reqest.path}', `line 1, character 3: reqest ${given}; did you mean request?`],
    [
      '${dictionaries.countries.fr}',
      `line 1, character 3: dictionaries ${given}; did you mean context.dictionaries?`,
    ],
    [
      '${api.name}',
      `line 1, character 3: api ${given}; what expressions know as #api policy-assign-attributes can put into context.attributes`,
    ],
    [
      '${properties["a"]}',
      `line 1, character 3: properties ${given}; what expressions know as #properties policy-assign-attributes can put into context.attributes`,
    ],
    ['<#assign order = 1>${oder}', `line 1, character 22: oder ${given}; did you mean order?`],
    ['${"a${nope}"}', `line 1, character 7: nope ${given}`],
    ['${nope.x!"none"}', `line 1, character 3: nope ${given}`],
    ['<#attempt><#recover>${nope}</#attempt>', `line 1, character 23: nope ${given}`],
    ['<#macro m a=nope></#macro>', `line 1, character 13: nope ${given}`],
    ['<@nope/>', `line 1, character 3: nope ${given}`],
  ];
  for (const [template, why] of rows) assert.equal(make(template), `refused: ${why}`, template);
});

test('a name that the template assigns somewhere, or forgives, is read', () => {
  const rows: readonly (readonly [template: string, makes: string])[] = [
    ['<@m 1; n>${n}</@m><#macro m a b...><#local c = a>${c}<#nested 2></#macro>', '12'],
    ['<#list [1] as x>${x_index}${x_has_next?c}</#list><#list {"k": 1} as k, v>${k}${v}</#list>', '0falsek1'],
    ['<#list [1]><#items as x>${x}</#items></#list>${[1]?map(y -> y + 1)?first}', '12'],
    ['<#assign a>1</#assign><#global "b" = 2><#function f p><#return p></#function>${a}${b}${f(3)}', '123'],
    ['<#escape x as x?upper_case>${"a"}</#escape>', 'A'],
    ['<#assign request = {"own": 1}>${request.own}', '1'],
    ['${nope!"none"} ${(nope.x)!"none"} ${nope?has_content?c} ${nope?default("d")}', 'none none false d'],
    [
      '<#if nope??>${nope}</#if><#if (no.such)??>${no.such}</#if><#attempt>${nope2}<#recover>-</#attempt>',
      '-',
    ],
    [
      '${request.nope!"none"} ${(request.nope.x)!"none"} <#if request["no"]??>${request.no}</#if>-',
      'none none -',
    ],
    ['${request.headers.nope!"none"} ${context.attributes.nope!"none"}', 'none none'],
  ];
  for (const [template, makes] of rows) assert.equal(make(template), makes, template);
});

test('what fails says what was missing, and what forgives it', () => {
  const why = (part: string): string =>
    `fails: ${part} is missing; !"other" right behind it forgives that, with more behind it (${part} ...)!"other", or ask first by ??`;
  assert.equal(make('${request.headers.nope[0]}'), why('request.headers.nope'));
  assert.equal(make(`\${request.headers['X-Nope'][0]!'none'}`), why('request.headers["X-Nope"]'));
  assert.equal(make(`\${(request.headers['X-Nope'][0])!'none'}`), 'none');
  assert.equal(make('${request.headers["X-Tag"][7]}'), why('request.headers["X-Tag"][7]'));
  assert.equal(make('${true}'), 'fails: a boolean has no text of its own; ?c, ?then and ?string write one');
  assert.equal(make('${request.headers["X-Tag"]}'), 'fails: a list has no text');
});

test('only a template that may ask for a body needs it', () => {
  const needs = (template: string): string => {
    const compiled = compileContent(template);
    return 'kind' in compiled ? compiled.message : compiled.needs;
  };
  const ofHead = [
    'x',
    '${request.method}',
    '<#assign x = "a">${request.headers[x]}',
    '${context.attributes[.lang]!"a"}',
    '${context.dictionaries["a"]["b"]}',
    '<#list 1..2 as x>${x}</#list>',
    '${request.paths[1..]?first}',
  ];
  const ofBody = [
    '${request.content}',
    '${response.jsonContent.a}',
    '${request["content"]}',
    '${request.getContent()}',
    '${request["con" + "tent"]}',
    '${request[.lang]}',
    '<#assign r = request>${r[.lang]}',
    '${"${request.xmlContent.a}"}',
    '<#escape x as request.content>${1}</#escape>',
  ];
  for (const template of ofHead) assert.equal(needs(template), 'head', template);
  for (const template of ofBody) assert.equal(needs(template), 'buffered', template);
});

test('?eval reads literals: what a caller sends is not worked out', () => {
  const scope = (content: string): ExpressionScope => goldenScope(content);
  assert.equal(make('${request.content?eval.a[1]}', scope('{"a": [1, 2]}')), '2');
  assert.equal(make('${request.content?eval.a}', scope("{'a': -1}")), '-1');
  assert.equal(make('${request.content?eval}', scope('"${request.id}"')), '${request.id}');
  for (const hostile of [
    'context.attributes.plan',
    '1 + 1',
    'request',
    '{"a": request.id',
    '.now',
    "'a'?upper_case",
  ])
    assert.match(
      make('${request.content?eval}', scope(hostile)),
      /^fails: \?eval reads literals alone/,
      hostile,
    );
});

test('a failure inside <#attempt> leaves nothing of it; past the budget there is no recovery', () => {
  assert.equal(
    make('<#attempt>a<#list 1..3 as x>${x}${nope}</#list><#recover>[${.error?has_content?c}]</#attempt>b'),
    '[true]b',
  );
  assert.match(
    make('<#attempt><#list 1.. as x>${x}</#list><#recover>recovered</#attempt>'),
    /^fails: the expressions of this request would take more work than they may$/,
  );
});

test('a template over what its maker gives it escapes in HTML, once, and names what it is not given', () => {
  const given = new Map<string, string | Map<string, string>>([
    ['user', new Map([['name', '<b>']])],
    ['url', '"x"'],
  ]);
  const shape = { user: ['name'], url: [] };
  const made = (text: string, output: 'html' | 'text') => {
    const template = compileGiven(text, { shape, output });
    return 'render' in template ? template.render(given, 0) : template.message;
  };
  assert.deepEqual(made('${user.name} ${user.name?html} ${url}', 'html'), {
    kind: 'value',
    value: '&lt;b&gt; &lt;b&gt; &quot;x&quot;',
  });
  assert.deepEqual(made('${user.name}', 'text'), { kind: 'value', value: '<b>' });
  assert.equal(made('${user.nme}', 'html'), 'line 1, character 7: user has no nme; did you mean name?');
  assert.match(
    JSON.stringify(made('<p>\n${request.id}</p>', 'html')),
    /^"line 2, character 3: request is not given/,
  );
});
