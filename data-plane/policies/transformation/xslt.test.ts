import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { isWithin } from '../../../test/kit/pace.ts';

const sheet = (body: string, more = ''): string =>
  `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" ${more}><xsl:output omit-xml-declaration="yes"/>${body}</xsl:stylesheet>`;
const value = (select: string): string =>
  sheet(`<xsl:template match="/"><a><xsl:value-of select="${select}"/></a></xsl:template>`);
const named =
  '<xsl:template match="/"><xsl:call-template name="t"><xsl:with-param name="s" select="\'xxxx\'"/></xsl:call-template></xsl:template>';
const doubled = sheet(
  `${named}<xsl:template name="t"><xsl:param name="s"/><xsl:call-template name="t"><xsl:with-param name="s" select="concat($s,$s)"/></xsl:call-template></xsl:template>`,
);
const counted = sheet(
  '<xsl:template match="/"><xsl:for-each select="//i"><xsl:for-each select="//i"><xsl:for-each select="//i"><xsl:if test="count(//i)=1">x</xsl:if></xsl:for-each></xsl:for-each></xsl:for-each></xsl:template>',
);

async function made(
  stylesheet: string,
  xml: string,
  parameters: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<string | undefined> {
  const call = startPolicy('xslt', { stylesheet, parameters }).call({ body: xml });
  const verdict = await call.pass();
  if (verdict === undefined) {
    assert.equal(call.request.headers.get('content-type'), 'application/xml');
    return (await call.sent('request')).trimEnd();
  }
  assert.ok(verdict.kind === 'reject');
  assert.deepEqual([verdict.key, verdict.status], ['XSLT_TRANSFORMATION_FAILURE', 500]);
  assert.deepEqual(call.warnings, ['XSLT_TRANSFORMATION_FAILURE']);
  return undefined;
}

test('a body is transformed by XSLT 1.0: templates, keys, sorting, numbers, and functions of EXSLT', async () => {
  assert.equal(await made(value('/x/y'), '<x><y>1 &lt; 2</y></x>'), '<a>1 &lt; 2</a>');
  const grouped = sheet(
    '<xsl:key name="k" match="i" use="@g"/><xsl:template match="/"><r><xsl:for-each select="//i[generate-id()=generate-id(key(\'k\',@g)[1])]"><xsl:sort select="@g"/><g n="{@g}"><xsl:number value="sum(key(\'k\',@g))" format="1"/></g></xsl:for-each></r></xsl:template>',
  );
  const items = '<x><i g="b">1</i><i g="a">2</i><i g="b">3</i></x>';
  assert.equal(await made(grouped, items), '<r><g n="a">2</g><g n="b">4</g></r>');
  const split = sheet(
    '<xsl:template match="/"><r><xsl:for-each select="str:tokenize(x,\',\')"><i><xsl:value-of select="."/></i></xsl:for-each></r></xsl:template>',
    'xmlns:str="http://exslt.org/strings" exclude-result-prefixes="str"',
  );
  assert.equal(await made(split, '<x>a,b</x>'), '<r><i>a</i><i>b</i></r>');
  assert.equal(
    await made(value('x'), '<?xml version="1.0" encoding="ISO-8859-1"?><x>Łódź</x>'),
    '<a>Łódź</a>',
  );
});

test('parameters are texts, whatever quotes are in them; one that comes to nothing leaves the default', async () => {
  const asked = sheet(
    '<xsl:param name="p" select="\'none\'"/><xsl:template match="/"><a><xsl:value-of select="$p"/></a></xsl:template>',
  );
  for (const text of ['plain', "it's", 'say "x"', '\'both"', '"); document("x']) {
    const written = text.replaceAll('"', '&quot;');
    const answer = await made(asked, '<x/>', [{ name: 'p', value: text }]);
    assert.equal(answer?.replaceAll('"', '&quot;'), `<a>${written}</a>`);
  }
  assert.equal(
    await made(asked, '<x/>', [{ name: 'p', value: "{#request.headers['X-Nope']}" }]),
    '<a>none</a>',
  );
});

test('a body that is no XML, or has a document type, ends the request: nothing is read or multiplied', async () => {
  const foreign = '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]><x>&b;</x>';
  const laughs = `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(1_000)}">${'b c d e f g h'
    .split(' ')
    .map((name, index) => `<!ENTITY ${name} "${`&${'abcdefg'[index]};`.repeat(10)}">`)
    .join('')}]><x y="&h;">&h;</x>`;
  for (const xml of ['<x>', 'text', foreign, laughs]) assert.equal(await made(value('x'), xml), undefined);
});

test('a transformation that takes too long, or too much memory, is ended, and the next one runs', async () => {
  const began = performance.now();
  assert.equal(await made(counted, `<x>${'<i/>'.repeat(2_000)}</x>`), undefined);
  isWithin(performance.now() - began, { msMax: 10_000 });
  assert.equal(await made(doubled, '<x/>'), undefined);
  assert.equal(await made(value('x'), '<x>after</x>'), '<a>after</a>');
});

test('many at once wait for each other, and those past the hundredth are ended', async () => {
  const all = await Promise.all(
    Array.from({ length: 110 }, (_, index) => made(value('x'), `<x>${index}</x>`)),
  );
  const answered = all.filter((text) => text !== undefined);
  assert.deepEqual([answered.length >= 100, answered.length < 110], [true, true]);
  assert.ok(all.every((text, index) => text === undefined || text === `<a>${index}</a>`));
});

test('a stylesheet with expressions is judged when they are worked out', async () => {
  const policy = startPolicy('xslt', { stylesheet: value("'{#context.attributes['who']}'") });
  const call = policy.call({ body: '<x/>', attributes: { who: 'ann' } });
  assert.equal(await call.pass(), undefined);
  assert.equal((await call.sent('request')).trim(), '<a>ann</a>');
  const reaching = policy.call({ body: '<x/>', attributes: { who: "'|document('x')|'" } });
  const verdict = await reaching.pass();
  assert.ok(verdict?.kind === 'reject' && verdict.key === 'XSLT_TRANSFORMATION_FAILURE');
});

test('what is not of XSLT 1.0, or reaches out, is refused when it is deployed, with its line and what to use instead', () => {
  const whyNot = (stylesheet: string): readonly string[] =>
    catalog.xslt.config.safeParse({ stylesheet }).error?.issues.map(({ message }) => message) ?? [];
  for (const [stylesheet, says] of [
    ['<x>', /is no XML/],
    ['<x/>', /^line 1: is no stylesheet/],
    [value('x').replace('1.0', '2.0'), /version "2.0" is not supported/],
    [
      sheet('\n<xsl:for-each-group select="x"/>'),
      /^line 2: xsl:for-each-group is of XSLT 2.0; group by xsl:key/,
    ],
    [sheet('<xsl:function name="f"/>'), /xsl:function is of XSLT 2.0; write a named template/],
    [sheet('<xsl:import href="http://evil.example/x"/>'), /xsl:import reaches out/],
    [sheet('<xsl:include href="x"/>'), /xsl:include reaches out/],
    [value("document('/etc/passwd')"), /function document\(\) .* reads another document/],
    [value("string-join(x, ',')"), /string-join\(\) .* is of XPath 2.0/],
    [value("replace(x, 'a', 'b')"), /use translate\(\)/],
    [value('for $i in x return $i'), /is no expression of XPath 1.0/],
    [value('if (x) then 1 else 2'), /function if\(\)/],
    [value('x eq 1'), /is no expression of XPath 1.0/],
    [sheet('<xsl:variable name="v" as="xs:string"/>'), /attribute as of xsl:variable/],
    [sheet('<xsl:template match="/"><a b="{matches(x, 1)}"/></xsl:template>'), /function matches\(\)/],
    [
      sheet('<e:document/>', 'xmlns:e="http://exslt.org/common" extension-element-prefixes="e"'),
      /extension elements/,
    ],
    [
      value("s:evaluate('x')").replace('xmlns', 'xmlns:s="http://icl.com/saxon" xmlns'),
      /function s:evaluate\(\)/,
    ],
    ['<!DOCTYPE x [<!ENTITY a "b">]>' + value('x'), /a document type is not read/],
    [value(`'${'x'.repeat(4_000)}'`), /longer than 4000 characters/],
  ] as const)
    assert.match(whyNot(stylesheet).join('\n'), says, stylesheet);
  assert.deepEqual(whyNot(value(`'${'x'.repeat(3_998)}'`)), []);
  assert.deepEqual(
    whyNot(sheet('<xsl:template match="a[@b=\'f(\']|id(1)/c" mode="m"><a b="{{x}}{y}"/></xsl:template>')),
    [],
  );
  const parameter = catalog.xslt.config.safeParse({
    stylesheet: value('x'),
    parameters: [{ name: 'a b', value: '' }],
  });
  assert.deepEqual(parameter.error?.issues[0]?.path, ['parameters', 0, 'name']);
});
