import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TransformFailure } from '../failure.ts';
import { transformXml } from './xslt.ts';

const sheet = (body: string): string =>
  `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output omit-xml-declaration="yes"/>${body}</xsl:stylesheet>`;
const counting = sheet('<xsl:template match="/"><a><xsl:value-of select="count(//i)"/></a></xsl:template>');
/** Calls itself as often as the body says. */
const calling = sheet(
  '<xsl:template match="/"><a><xsl:call-template name="t"><xsl:with-param name="n" select="number(/x)"/></xsl:call-template></a></xsl:template><xsl:template name="t"><xsl:param name="n"/><xsl:choose><xsl:when test="$n = 0">end</xsl:when><xsl:otherwise><xsl:call-template name="t"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template></xsl:otherwise></xsl:choose></xsl:template>',
);
const items = (count: number): string => `<x>${'<i>0123456789</i>'.repeat(count)}</x>`;
const large = items(100_000);

async function made(stylesheet: string, xml: string): Promise<string | undefined> {
  try {
    return (await transformXml({ stylesheet, xml, parameters: [] }))?.trimEnd();
  } catch (error) {
    assert.ok(error instanceof TransformFailure, String(error));
    return undefined;
  }
}

test('a body that fills the stack of the engine ends its own transformation; those behind it are made as ever', async () => {
  assert.equal(await made(calling, '<x>500</x>'), '<a>end</a>');
  for (const calls of [2_000, 2_900, 1_000_000]) {
    const behind = [made(calling, `<x>${calls}</x>`), made(calling, '<x>500</x>'), made(counting, items(9))];
    assert.deepEqual(await Promise.all(behind), [undefined, '<a>end</a>', '<a>9</a>'], String(calls));
  }
});

test('what failed leaves no memory taken: however many stylesheets and bodies are broken, a large body is transformed', async () => {
  const words = 'x'.repeat(800_000);
  for (let count = 0; count < 100; count += 1)
    assert.equal(
      await made(sheet(`<xsl:template match="/["><a>${words}${count}</a></xsl:template>`), '<x/>'),
      undefined,
    );
  assert.equal(await made(counting, large), '<a>100000</a>');
  const ending = sheet(
    '<xsl:template match="/"><xsl:copy-of select="."/><xsl:message terminate="yes">no</xsl:message></xsl:template>',
  );
  for (let count = 0; count < 8; count += 1) {
    assert.equal(await made(counting, large.slice(0, -4)), undefined);
    assert.equal(await made(ending, large), undefined);
  }
  assert.equal(await made(counting, large), '<a>100000</a>');
});
