import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { threatBound } from './bound.ts';

/** Refuses JSON that is made to harm who reads it. */
export const jsonThreatProtection = definePolicy({
  id: 'json-threat-protection',
  title: 'JSON threat protection',
  summary: 'Refuses JSON bodies that are too deep, too large, ambiguous or none.',
  category: 'validation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      maxEntries: threatBound(100),
      maxArraySize: threatBound(100),
      maxDepth: threatBound(100),
      maxNameLength: threatBound(100),
      maxValueLength: threatBound(100),
      preventDuplicateKey: z.boolean().default(true),
      /** The reference's form says true, its gateway takes a field that is absent for false. */
      enforceJson: z.boolean().default(false),
    }),
  errors: {
    JSON_THREAT_DETECTED: { status: 400, message: 'Bad Request' },
    JSON_THREAT_MAX_DEPTH: { status: 400, message: 'Bad Request' },
    JSON_THREAT_MAX_ENTRIES: { status: 400, message: 'Bad Request' },
    JSON_THREAT_MAX_NAME_LENGTH: { status: 400, message: 'Bad Request' },
    JSON_THREAT_MAX_VALUE_LENGTH: { status: 400, message: 'Bad Request' },
    JSON_MAX_ARRAY_SIZE: { status: 400, message: 'Bad Request' },
    JSON_THREAT_ENFORCE_JSON: { status: 415, message: 'Bad Request' },
  },
  docs: [
    'Reads the body of a request whose Content-Type is `application/json`, or ends with `+json`, byte by byte while it comes, and refuses it at the first byte that exceeds a bound or is no JSON. A body of at most 64 KiB reaches the backend whole or not at all; of a longer one the backend gets what was checked, and never an end when it is refused.',
    '**Bounds**: `maxEntries` members of an object, `maxArraySize` elements of an array, `maxDepth` objects and arrays in each other, `maxNameLength` characters of a name, `maxValueLength` of a text; an escape counts as what it spells. `-1` or `null` is no bound; what has to be remembered is bounded all the same: 100000 levels, and with `preventDuplicateKey` 1048576 characters of names in the objects that are open.',
    '**Refused as no JSON** (`JSON_THREAT_DETECTED`): what RFC 8259 does not allow, bytes that are no UTF-8, a second value behind the first, a body that ends early or is compressed, and with `preventDuplicateKey` a name twice in one object, however it is spelled.',
    'With `enforceJson` a request that says no such Content-Type is refused, also one without a body; without it, it passes unread. A `charset` parameter is passed over, while the reference takes such a body for no JSON and does not read it.',
  ].join('\n\n'),
  example: () => ({
    about: 'Orders are JSON, and never deeper than two levels.',
    request: [{ policy: 'json-threat-protection', configuration: { maxDepth: 2, enforceJson: true } }],
    calls: [
      {
        request: { headers: { 'Content-Type': 'application/json' }, body: '{"items":["apple"]}' },
        received: { body: '{"items":["apple"]}' },
        answer: { body: 'hello' },
      },
      {
        request: { headers: { 'Content-Type': 'application/json' }, body: '{"items":[["apple"]]}' },
        received: 'nothing',
        answer: { status: 400, body: 'Bad Request' },
      },
      {
        about: 'A name comes twice.',
        request: { headers: { 'Content-Type': 'application/json' }, body: '{"price":1,"price":2}' },
        received: 'nothing',
        answer: { status: 400 },
      },
      { request: { body: 'apples' }, received: 'nothing', answer: { status: 415 } },
    ],
  }),
});
