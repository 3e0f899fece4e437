import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expressionScope } from '../../../test/kit/gateway/expression-scope.ts';
import { isWithin, isWithinCpu } from '../../../test/kit/pace.ts';
import { language } from '../language.ts';
import { shownValue, type Value } from '../values.ts';

const order = `<o xmlns:n='urn:n'><n:id>5</n:id><item k='1'>A</item><item k='2'>B</item></o>`;

const failed = Symbol('failed');

/** What an expression is worth on a request with this body. */
function worth(source: string, body = order): unknown {
  const made = language(source);
  assert.equal(made.kind, 'compiled', JSON.stringify(made));
  if (made.kind !== 'compiled') return undefined;
  const scope = expressionScope();
  const came = made.evaluate({ ...scope, request: { ...scope.request, content: Buffer.from(body) } });
  if (came.kind === 'failed') return failed;
  return came.kind === 'nothing' ? null : shownValue(came.value as Value);
}

const onBody = (path: string, type?: string): string =>
  `#xpath(#request.content, "${path}"${type === undefined ? '' : `, '${type}'`})`;

test('each path is worth what it is worth in the reference', () => {
  for (const [source, value] of [
    [onBody('//item'), 'A'],
    [onBody('//nope'), ''],
    [onBody('count(//item)', 'number'), 2],
    [`${onBody('count(//item)', 'number')} + ''`, '2.0'],
    [onBody('count(//item)'), '2'],
    [onBody("//item[@k='2']"), 'B'],
    [onBody('//item/@k'), '1'],
    [onBody('/o/item[last()]'), 'B'],
    [onBody("concat('x', //item[1], //item[2])"), 'xAB'],
    [onBody('//id'), ''],
    [onBody('//n:id'), failed],
    [onBody("//*[local-name()='id']", 'string'), '5'],
    [onBody('//id', 'string'), ''],
    [onBody('//item', 'node'), 'A'],
    [onBody('//item', 'NODE_LIST'), ['A', 'B']],
    [`${onBody('//item', 'node_list')}.size() == 2`, true],
    [onBody("//item[. = 'C']", 'boolean'), false],
    [onBody('//item[', 'string'), failed],
    [onBody('//item', 'text'), failed],
    [onBody('nope(1)'), failed],
    [`#xpath(null, '//a')`, failed],
    [`#xpath('no XML', '//a')`, failed],
    [`#xpath('<a><b></a>', '//a')`, failed],
  ] as const)
    assert.deepEqual(worth(source), value, source);
  assert.equal(worth(onBody('/a/b'), '<a xmlns="urn:a"><b>1</b></a>'), '1', 'names as they are written');
  assert.equal(
    worth(onBody('/a/b', 'string'), '<a xmlns="urn:a"><b>1</b></a>'),
    '',
    'a default namespace is one',
  );
});

test('XML as a map: attributes are keys, repeated elements a list, text beside others has no name', () => {
  const body = `<?xml version="1.0"?><!-- c --><o xmlns:n='urn:n' id="7"><n:at>5</n:at><item k='1'>A</item><item>B</item><none/><c><![CDATA[<x>]]>&amp;</c></o>`;
  assert.deepEqual(worth('#request.xmlContent', body), {
    o: { id: '7', at: '5', item: [{ k: '1', '': 'A' }, 'B'], none: '', c: '<x>&' },
  });
  assert.equal(worth('#request.xmlContent.o.item[1]', body), 'B');
  assert.deepEqual(worth('#request.xmlContent', '<o><a>1</a>'), {}, 'what is no XML');
  assert.deepEqual(worth('#request.xmlContent', ''), {});
  assert.deepEqual(worth('#request.xmlContent.__proto__', '<__proto__><polluted>1</polluted></__proto__>'), {
    polluted: '1',
  });
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('nothing is fetched or multiplied: a document type is not read', () => {
  const bomb = `<!DOCTYPE o [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><o>&b;</o>`;
  const file = `<!DOCTYPE o [<!ENTITY f SYSTEM "file:///etc/passwd">]><o>&f;</o>`;
  for (const body of [bomb, file, '<!DOCTYPE o SYSTEM "http://127.0.0.1/o.dtd"><o/>', '<o>&b;</o>']) {
    assert.equal(worth(onBody('/o'), body), failed);
    assert.deepEqual(worth('#request.xmlContent', body), {});
  }
});

test('what a document or a path would make dear is paid for before it is done', () => {
  const many = `<o>${'<a><b/></a>'.repeat(10_000)}</o>`;
  const dear: readonly (readonly [path: string, body: string])[] = [
    ['//a//b', many],
    ['//a[..//b]', many],
    ['//a[//b]', many],
    ['//a/following::b', many],
    [`concat(${Array(200).fill('/').join(',')})`, `<o>${'x'.repeat(200_000)}</o>`],
    ['//*[. = //*]', `<o>${'<a>x</a>'.repeat(2_000)}</o>`],
    ['/o', `<o>${'<a/>'.repeat(60_000)}</o>`],
    ['/o', '<a>'.repeat(300) + '</a>'.repeat(300)],
    ['/o', `<o>${'x'.repeat(1_100_000)}</o>`],
    [`/o${'/a'.repeat(600)}`, order],
    [`${'('.repeat(400)}1${')'.repeat(400)}`, `<o>${'x'.repeat(100_000)}</o>`],
  ];
  for (const [path, body] of dear) {
    const began = performance.now();
    assert.equal(worth(onBody(path), body), failed, path.slice(0, 60));
    const ms = performance.now() - began;
    isWithin(ms, { msMax: 1_000, what: path.slice(0, 60) });
  }
  const some = `<o>${'<a><b/></a>'.repeat(5_000)}</o>`;
  assert.equal(worth(onBody('count(//b)'), some), '5000', 'what is not dear is done');
  assert.equal(worth(onBody('string-length(/o)'), `<o>${'x'.repeat(1_000_000)}</o>`), '1000000');
  assert.equal(worth(onBody('//a//b'), `<o>${'<a><b>1</b></a>'.repeat(200)}</o>`), '1');
});

test('the dearest texts to read as XML stop within the work of a request: they are counted and paid for before they are read', () => {
  const characters = 900_000;
  const filled = (piece: string): string => piece.repeat(characters / piece.length);
  const numbered = (count: number, attribute: (at: number) => string): string =>
    `<o ${Array.from({ length: count }, (_, at) => attribute(at)).join(' ')}/>`;
  const bodies: Readonly<Record<string, string>> = {
    'attributes of one element': numbered(80_000, (at) => `a${at}="1"`),
    'the same attribute': numbered(100_000, () => 'a="1"'),
    namespaces: numbered(40_000, (at) => `xmlns:a${at}="u${at}"`),
    elements: `<o>${filled('<a/>')}</o>`,
    references: `<o>${filled('&#65;')}</o>`,
    'references in an attribute': `<o a="${filled('&#65;')}"/>`,
    'sections of text': `<o>${filled('<![CDATA[]]>')}</o>`,
    comments: `<o>${filled('<!---->')}</o>`,
    'dashes of a comment': `<o><!--${filled('- ')}--></o>`,
    instructions: `<o>${filled('<?a?>')}</o>`,
    lines: `<o>${filled('\n')}</o>`,
    'prefixes far from their namespace': `<o xmlns:p="u">${'<a>'.repeat(150)}${'<p:b p:c=""/>'.repeat(20_000)}${'</a>'.repeat(150)}</o>`,
  };
  const cpuMs = (body: string): number => {
    const began = process.cpuUsage();
    assert.deepEqual(worth('#request.xmlContent', body), {}, body.slice(0, 40));
    assert.equal(worth(onBody('count(//*)', 'number'), body), failed, body.slice(0, 40));
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  };
  for (const [what, body] of Object.entries(bodies)) {
    let ms = cpuMs(body);
    // Other threads of the process collect garbage and compile meanwhile.
    for (let turn = 0; turn < 2 && ms >= 200; turn += 1) ms = Math.min(ms, cpuMs(body));
    isWithinCpu(ms, { msMax: 200, what: `${what}: twice the work of a request, of 40 ms each` });
  }
});

test('a body is read as XML once per request', () => {
  const paths = Array.from({ length: 40 }, (_, index) => onBody(`//item[${(index % 2) + 1}]`));
  assert.equal(
    worth(paths.join(' + '), `<o><!--${'x'.repeat(100_000)}--><item>A</item><item>B</item></o>`),
    'AB'.repeat(20),
  );
});
