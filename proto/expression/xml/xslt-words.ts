const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ''));

/** Elements of XSLT 1.0 with their attributes; of those that reach out there are none. */
export const elementsOfVersion1: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    stylesheet: 'id version extension-element-prefixes exclude-result-prefixes',
    transform: 'id version extension-element-prefixes exclude-result-prefixes',
    'apply-imports': '',
    'apply-templates': 'select mode',
    attribute: 'name namespace',
    'attribute-set': 'name use-attribute-sets',
    'call-template': 'name',
    choose: '',
    comment: '',
    copy: 'use-attribute-sets',
    'copy-of': 'select',
    'decimal-format':
      'name decimal-separator grouping-separator infinity minus-sign NaN percent per-mille zero-digit digit pattern-separator',
    element: 'name namespace use-attribute-sets',
    fallback: '',
    'for-each': 'select',
    if: 'test',
    key: 'name match use',
    message: 'terminate',
    'namespace-alias': 'stylesheet-prefix result-prefix',
    number: 'level count from value format lang letter-value grouping-separator grouping-size',
    otherwise: '',
    output:
      'method version encoding omit-xml-declaration standalone doctype-public doctype-system cdata-section-elements indent media-type',
    param: 'name select',
    'preserve-space': 'elements',
    'processing-instruction': 'name',
    sort: 'select lang data-type order case-order',
    'strip-space': 'elements',
    template: 'match name priority mode',
    text: 'disable-output-escaping',
    'value-of': 'select disable-output-escaping',
    variable: 'name select',
    when: 'test',
    'with-param': 'name select',
  }).map(([name, attributes]) => [name, words(attributes)]),
);

/** Attributes that are expressions, patterns, or texts with expressions in braces. */
export const pathAttributes = words('select test use');
export const patternAttributes = words('match count from');
export const templateAttributes = new Set(
  `attribute name,attribute namespace,element name,element namespace,processing-instruction name,number format,number lang,number letter-value,number
  grouping-separator,number grouping-size,sort lang,sort data-type,sort order,sort case-order`
    .split(',')
    .map((pair) => pair.trim().replaceAll(/\s+/g, ' ')),
);

/** Functions by namespace: those of XPath 1.0 and XSLT 1.0, with what only looks like one, and those of EXSLT. */
export const functionsOfVersion1: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    '',
    words(`last position count id local-name namespace-uri name string concat starts-with contains substring-before substring-after
    substring string-length normalize-space translate boolean not true false lang number sum floor ceiling round key format-number
    current generate-id system-property element-available function-available unparsed-entity-uri
    text node comment processing-instruction and or div mod`),
  ],
  ['http://exslt.org/common', words('node-set object-type')],
  [
    'http://exslt.org/math',
    words('min max highest lowest abs sqrt power constant log random sin cos tan asin acos atan atan2 exp'),
  ],
  ['http://exslt.org/sets', words('difference distinct has-same-node intersection leading trailing')],
  ['http://exslt.org/strings', words('tokenize split encode-uri decode-uri align padding concat replace')],
]);

const instead: ReadonlyMap<string, string> = new Map([
  ['import', 'reaches out of the stylesheet; write what it brings into it'],
  ['include', 'reaches out of the stylesheet; write what it brings into it'],
  ['document()', 'reads another document; fetch it by policy-http-callout and hand it in as a parameter'],
  ['for-each-group', 'is of XSLT 2.0; group by xsl:key with generate-id()'],
  ['function', 'is of XSLT 2.0; write a named template'],
  ['sequence', 'is of XSLT 2.0; write xsl:copy-of or xsl:value-of'],
  ['analyze-string', 'is of XSLT 2.0; use str:tokenize() of http://exslt.org/strings'],
  ['perform-sort', 'is of XSLT 2.0; write xsl:sort in xsl:for-each'],
  ['next-match', 'is of XSLT 2.0; give the template a mode'],
  ['namespace', 'is of XSLT 2.0; declare it where the element is written'],
  ['result-document', 'is of XSLT 2.0; there is one result'],
  ['document', 'is of XSLT 1.1; there is one result'],
  ['character-map', 'is of XSLT 2.0; replace by translate()'],
  ['import-schema', 'is of XSLT 2.0; types of schemas are not known'],
  ['replace()', 'is of XPath 2.0; use translate(), or str:replace() of http://exslt.org/strings'],
  ['tokenize()', 'is of XPath 2.0; use str:tokenize() of http://exslt.org/strings'],
  ['string-join()', 'is of XPath 2.0; write xsl:for-each'],
  ['upper-case()', 'is of XPath 2.0; use translate()'],
  ['lower-case()', 'is of XPath 2.0; use translate()'],
  ['distinct-values()', 'is of XPath 2.0; use set:distinct() of http://exslt.org/sets'],
  ['max()', 'is of XPath 2.0; use math:max() of http://exslt.org/math'],
  ['min()', 'is of XPath 2.0; use math:min() of http://exslt.org/math'],
  ['abs()', 'is of XPath 2.0; use math:abs() of http://exslt.org/math'],
]);

/** What to use in place of an element or a function. */
export function insteadOf(name: string): string {
  return instead.get(name) ?? 'is not of XSLT 1.0';
}
