import { z } from 'zod';

import { stylesheetFaults } from '../../expression/xml/stylesheet.ts';
import { template } from '../../expression/template.ts';
import { piecesOf } from '../../expression/find.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';

/** Longest stylesheet, and longest value of a parameter, in characters. */
const stylesheetCharsMax = 256 * 1024;
const valueCharsMax = 64 * 1024;

/** A stylesheet as it is written; one that holds expressions is judged when they are worked out. */
const stylesheet = z
  .string()
  .min(1)
  .max(stylesheetCharsMax)
  .superRefine((text, context) => {
    if (piecesOf(text).some(({ kind }) => kind === 'expression')) return;
    for (const message of stylesheetFaults(text)) context.addIssue({ code: 'custom', message });
  })
  .pipe(template(z.string().max(stylesheetCharsMax)));

/** Transforms XML by a stylesheet. */
export const xslt = definePolicy({
  id: 'xslt',
  title: 'XSLT',
  summary: 'Transforms a body of XML by a stylesheet of XSLT 1.0.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      stylesheet: stylesheet.describe('A stylesheet of XSLT 1.0.'),
      parameters: z
        .array(
          z.strictObject({
            name: z.string().regex(/^[A-Za-z_][\w.-]{0,99}$/, 'is no name of a parameter'),
            value: template(z.string().max(valueCharsMax)),
          }),
        )
        .max(50)
        .default([])
        .describe('Values of `xsl:param` at the top of the stylesheet; they are texts.'),
    }),
  errors: {
    XSLT_TRANSFORMATION_FAILURE: { status: 500, message: 'The body cannot be transformed' },
  },
  docs: 'The stylesheet is of XSLT 1.0, with `node-set()` and the functions of EXSLT for math, sets and strings; what is of a later version, and what would read another document (`xsl:import`, `xsl:include`, `document()`), is refused when the API is deployed, with its line and what to use instead. One that holds expressions is judged per request. Whatever `xsl:output` says, Content-Type becomes `application/xml`, and the text is sent in UTF-8. A document type in the body is refused; nothing is fetched. Transformations run in a thread of their own, one after another: one may take 1 s of a core, 128 MiB of memory and make 16 Mi characters; past that, and for a body that is no XML, the request ends with 500. What is empty stays empty.',
  example: () => ({
    about: 'Callers get the names of what a backend has, in their order.',
    response: [
      {
        policy: 'xslt',
        configuration: {
          stylesheet:
            '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output omit-xml-declaration="yes"/><xsl:param name="for"/><xsl:template match="/"><names for="{$for}"><xsl:for-each select="//item"><xsl:sort/><name><xsl:value-of select="."/></name></xsl:for-each></names></xsl:template></xsl:stylesheet>',
          parameters: [{ name: 'for', value: "{#request.headers['X-Caller'][0]}" }],
        },
      },
    ],
    backend: {
      '/items': {
        headers: { 'Content-Type': 'text/xml' },
        body: '<items><item>pear</item><item>apple</item></items>',
      },
      '/broken': { body: '<items>' },
    },
    calls: [
      {
        request: { path: '/items', headers: { 'X-Caller': 'ann' } },
        answer: {
          headers: { 'Content-Type': 'application/xml' },
          body: '<names for="ann"><name>apple</name><name>pear</name></names>…',
        },
      },
      { request: { path: '/broken' }, answer: { status: 500 } },
    ],
  }),
});
