import { asJson, type KeyRow, type RowStep, step } from './row.ts';

const asXml = { 'Content-Type': 'application/xml' };

// oxlint-disable-next-line max-params -- a row of a table
const sent = (
  policy: RowStep[0],
  key: string,
  configuration: object,
  call: NonNullable<KeyRow['call']> = {},
): KeyRow => step(policy, key, configuration, { call: { method: 'POST', ...call } });
const json = (key: string, configuration: object, body: string): KeyRow =>
  sent('json-threat-protection', key, configuration, { headers: asJson, body });
const xml = (key: string, configuration: object, body: string): KeyRow =>
  sent('xml-threat-protection', key, configuration, { headers: asXml, body });
const pattern = { regex: '.*attack.*' };

/** Keys of what is made to do harm. */
export const threatRows: readonly KeyRow[] = [
  json('JSON_THREAT_DETECTED', {}, '{'),
  json('JSON_THREAT_MAX_DEPTH', { maxDepth: 1 }, '[[1]]'),
  json('JSON_THREAT_MAX_ENTRIES', { maxEntries: 1 }, '{"a":1,"b":2}'),
  json('JSON_THREAT_MAX_NAME_LENGTH', { maxNameLength: 1 }, '{"ab":1}'),
  json('JSON_THREAT_MAX_VALUE_LENGTH', { maxValueLength: 1 }, '{"a":"bc"}'),
  json('JSON_MAX_ARRAY_SIZE', { maxArraySize: 1 }, '[1,2]'),
  sent('json-threat-protection', 'JSON_THREAT_ENFORCE_JSON', { enforceJson: true }, { body: 'a' }),
  sent('regex-threat-protection', 'REGEX_THREAT_HEADER_DETECTED', pattern, { headers: { 'X-A': 'attack' } }),
  sent('regex-threat-protection', 'REGEX_THREAT_PATH_DETECTED', pattern, { path: '/attack' }),
  sent('regex-threat-protection', 'REGEX_THREAT_BODY_DETECTED', pattern, { body: 'an attack' }),
  sent('request-content-limit', 'REQUEST_CONTENT_LIMIT_TOO_LARGE', { limit: 1 }, { body: 'ab' }),
  sent('request-content-limit', 'REQUEST_CONTENT_LIMIT_LENGTH_REQUIRED', { limit: 1 }, { method: 'GET' }),
  xml('XML_THREAT_DETECTED', {}, '<a>'),
  xml('XML_THREAT_MAX_ELEMENTS', { maxElements: 1 }, '<a><b/></a>'),
  xml('XML_THREAT_MAX_DEPTH', { maxDepth: 1 }, '<a><b><c/></b></a>'),
  xml('XML_THREAT_MAX_LENGTH', { maxLength: 5 }, '<abcd/>'),
  xml('XML_THREAT_MAX_ATTRIBUTES', { maxAttributesPerElement: 1 }, '<a b="1" c="2"/>'),
  xml('XML_THREAT_MAX_ATTRIBUTE_VALUE_LENGTH', { maxAttributeValueLength: 1 }, '<a b="12"/>'),
  xml('XML_THREAT_MAX_CHILD_ELEMENTS', { maxChildrenPerElement: 1 }, '<a><b/><b/></a>'),
  xml('XML_THREAT_MAX_TEXT_VALUE_LENGTH', { maxTextValueLength: 1 }, '<a>12</a>'),
  xml('XML_THREAT_MAX_ENTITIES', { maxEntities: 1 }, '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;&e;</a>'),
  xml(
    'XML_THREAT_MAX_ENTITY_DEPTH',
    { maxEntityDepth: 1 },
    '<!DOCTYPE a [<!ENTITY e "x"><!ENTITY f "&e;">]><a>&f;</a>',
  ),
  xml(
    'XML_THREAT_EXTERNAL_ENTITY_FORBIDDEN',
    {},
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
  ),
];
