import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { threatBound } from './bound.ts';

const badRequest = { status: 400, message: 'Bad Request' };

/** Refuses XML that is made to harm who reads it. */
export const xmlThreatProtection = definePolicy({
  id: 'xml-threat-protection',
  title: 'XML threat protection',
  summary:
    'Refuses XML bodies that are too deep, too large, that multiply themselves, reach for files, or are none.',
  category: 'validation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      maxElements: threatBound(1_000),
      maxDepth: threatBound(100),
      maxLength: threatBound(1_000),
      maxAttributesPerElement: threatBound(100),
      maxAttributeValueLength: threatBound(100),
      maxChildrenPerElement: threatBound(100),
      maxTextValueLength: threatBound(100),
      maxEntities: threatBound(100),
      maxEntityDepth: threatBound(100),
      allowExternalEntities: z.boolean().default(false),
    }),
  errors: {
    XML_THREAT_DETECTED: badRequest,
    XML_THREAT_MAX_ELEMENTS: badRequest,
    XML_THREAT_MAX_DEPTH: badRequest,
    XML_THREAT_MAX_LENGTH: badRequest,
    XML_THREAT_MAX_ATTRIBUTES: badRequest,
    XML_THREAT_MAX_ATTRIBUTE_VALUE_LENGTH: badRequest,
    XML_THREAT_MAX_CHILD_ELEMENTS: badRequest,
    XML_THREAT_MAX_TEXT_VALUE_LENGTH: badRequest,
    XML_THREAT_MAX_ENTITIES: badRequest,
    XML_THREAT_MAX_ENTITY_DEPTH: badRequest,
    XML_THREAT_EXTERNAL_ENTITY_FORBIDDEN: badRequest,
  },
  docs: [
    'Reads the body of a request whose Content-Type ends with `xml` (`application/xml`, `text/xml`, `application/soap+xml`) while it comes, and refuses it at the first character that exceeds a bound or is no XML. A body of at most 64 KiB reaches the backend whole or not at all; of a longer one the backend gets what was checked, and never an end when it is refused. A `charset` parameter is passed over, while the reference does not read a body that has one.',
    '**Bounds**: `maxElements` of the document, `maxDepth` elements in each other below the outermost, `maxLength` characters as written, `maxAttributesPerElement`, `maxAttributeValueLength` characters of a value, `maxChildrenPerElement` elements right in one, `maxTextValueLength` characters between two tags, comments not counted. `-1` or `null` is no bound; what has to be remembered is bounded all the same: 100000 levels, 1024 characters of a name, 1048576 of the names of open elements and of the attributes of one.',
    '**Entities** are read where they are used, so that what they hold counts like what is written: `maxEntities` that are declared, and that are used (those inside of others too, not `&lt;` and its like), `maxEntityDepth` in each other; always at most 1048576 characters and 500 in each other. A document type or an entity with an address is refused by `XML_THREAT_EXTERNAL_ENTITY_FORBIDDEN`, unless `allowExternalEntities`: then it counts as empty here and is left to the backend. Nothing is ever fetched.',
    '**Refused as no XML** (`XML_THREAT_DETECTED`): what XML 1.0 does not allow (1.1 is not read), an early end, a compressed body, an encoding other than UTF-8, US-ASCII, ISO-8859-1, Windows-1252 and UTF-16 with a mark, or two that disagree; in a document type what is neither an entity nor `<!ELEMENT`: parameter entities, attribute lists, notations.',
  ].join('\n\n'),
  example: () => ({
    about: 'Orders are XML of two levels below the outermost, without entities.',
    request: [{ policy: 'xml-threat-protection', configuration: { maxDepth: 2, maxEntities: 0 } }],
    calls: [
      {
        request: {
          headers: { 'Content-Type': 'application/xml' },
          body: '<order><item>apple</item></order>',
        },
        received: { body: '<order><item>apple</item></order>' },
        answer: { body: 'hello' },
      },
      {
        request: {
          headers: { 'Content-Type': 'application/xml' },
          body: '<order><item><kind><name/></kind></item></order>',
        },
        received: 'nothing',
        answer: { status: 400, body: 'Bad Request' },
      },
      {
        about: 'A document that asks for a file of the backend.',
        request: {
          headers: { 'Content-Type': 'text/xml' },
          body: '<!DOCTYPE order [<!ENTITY f SYSTEM "file:///etc/passwd">]><order>&f;</order>',
        },
        received: 'nothing',
        answer: { status: 400 },
      },
      { about: 'It says no XML.', request: { body: 'apples' }, answer: { body: 'hello' } },
    ],
  }),
});
