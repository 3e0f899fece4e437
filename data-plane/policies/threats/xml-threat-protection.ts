import { CONTINUE, type PolicyFactory } from '../policy.ts';
import { badRequest } from './bad-request.ts';
import { charsetsOf, mediaTypesOf } from './media-types.ts';
import { XmlBytes } from './xml-bytes.ts';
import type { XmlBounds, XmlThreat } from './xml-counts.ts';
import { XmlScanner } from './xml-scanner.ts';

/** Refuses XML at the character at which it exceeds what is allowed. */
export const xmlThreatProtection: PolicyFactory<'xml-threat-protection'> = (config, { refuse }) => {
  const detected = refuse('XML_THREAT_DETECTED', badRequest);
  const refusals: Readonly<Record<XmlThreat, typeof detected>> = {
    elements: refuse('XML_THREAT_MAX_ELEMENTS', badRequest),
    depth: refuse('XML_THREAT_MAX_DEPTH', badRequest),
    length: refuse('XML_THREAT_MAX_LENGTH', badRequest),
    attributes: refuse('XML_THREAT_MAX_ATTRIBUTES', badRequest),
    attributeValue: refuse('XML_THREAT_MAX_ATTRIBUTE_VALUE_LENGTH', badRequest),
    children: refuse('XML_THREAT_MAX_CHILD_ELEMENTS', badRequest),
    text: refuse('XML_THREAT_MAX_TEXT_VALUE_LENGTH', badRequest),
    entities: refuse('XML_THREAT_MAX_ENTITIES', badRequest),
    entityDepth: refuse('XML_THREAT_MAX_ENTITY_DEPTH', badRequest),
    external: refuse('XML_THREAT_EXTERNAL_ENTITY_FORBIDDEN', badRequest),
    syntax: detected,
    unbounded: detected,
  };
  const bounds: XmlBounds = {
    elementsMax: config.maxElements,
    depthMax: config.maxDepth,
    lengthMax: config.maxLength,
    attributesMax: config.maxAttributesPerElement,
    attributeValueMax: config.maxAttributeValueLength,
    childrenMax: config.maxChildrenPerElement,
    textMax: config.maxTextValueLength,
    entitiesMax: config.maxEntities,
    entityDepthMax: config.maxEntityDepth,
    allowsExternals: config.allowExternalEntities,
  };
  return {
    request: {
      needs: 'stream',
      run({ request }, _slot, passing) {
        if (!mediaTypesOf(request.headers).some((type) => type.endsWith('xml'))) return CONTINUE;
        const bytes = new XmlBytes(charsetsOf(request.headers));
        const scanner = new XmlScanner(bounds);
        const judge = (read: ReturnType<XmlBytes['read']>, isEnd: boolean) => {
          const threat =
            read === 'unreadable'
              ? 'syntax'
              : (scanner.read(read.text) ?? (isEnd ? scanner.end() : undefined));
          return threat === undefined ? undefined : refusals[threat];
        };
        return passing.check({
          onPiece: (piece, start, end) => judge(bytes.read(piece.subarray(start, end)), false),
          onEnd: () => judge(bytes.end(), true),
        });
      },
    },
  };
};
