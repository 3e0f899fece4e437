import { z } from 'zod';

import type { JoinedPiece } from '../../expression/template.ts';
import { apiLimits } from '../api-limits.ts';
import {
  headerNameSchema,
  headersPerPlaceMax,
  headerValueCharsMax,
  headerValueSchema,
} from '../head-text.ts';
import { section, withExpressions } from '../sections.ts';

/** A target as it is called. */
export const targetSchema = z
  .string()
  .max(apiLimits.targetCharsMax)
  .refine((target) => {
    const url = URL.canParse(target) ? new URL(target) : undefined;
    return (
      url !== undefined &&
      /^(?:https?|grpcs?):$/.test(url.protocol) &&
      url.host !== '' &&
      url.username === '' &&
      url.password === '' &&
      url.hash === ''
    );
  }, 'must be an http://, https://, grpc:// or grpcs:// URL without user information and fragment');

/** Ends of segments as backends read paths, also those that decode them first. */
const segmentEnds = /[/\\]|%2f|%5c/i;
/** In what a client brings: nothing in a URL may hold the first; a path and a host end at the others. */
const controls = /\p{Cc}/u;
const pathEnds = /[?#\\]/;
const hostEnds = /[/@?#\\]/;

/**
 * Says why a target that is written with expressions may not be called: what a client brings stays inside the segment, or the host's name,
 * in which the definition asks for it. Own pieces may do anything; undefined when nothing is wrong.
 */
export function whyNoTarget(pieces: readonly JoinedPiece[]): string | undefined {
  let before = '';
  for (const { text, isOwn } of pieces) {
    if (!isOwn) {
      const isQuery = before.includes('?');
      const isHost = /:\/\/[^/?#]*$/.test(before);
      if (controls.test(text)) return 'a control character is brought into the target by the request';
      if ((isHost ? hostEnds : isQuery ? /#/ : pathEnds).test(text))
        return `what the request brings into the target holds a character that ends its ${isHost ? 'host' : isQuery ? 'query' : 'path'}`;
    }
    before += text;
  }
  const own = pieces.map(({ text, isOwn }) => (isOwn ? text : 'x')).join('');
  return dotSegments(before) > dotSegments(own)
    ? 'what the request brings into the target leaves its path by a dot segment'
    : undefined;
}

/** How many segments of a path are `.` or `..`, however often they are escaped and whatever parameters they have. */
function dotSegments(target: string): number {
  const [path = ''] = target.trim().split('?');
  const segments = path.replaceAll(/%(?:25)+/g, '%').split(segmentEnds);
  return segments.filter((segment) => /^\.\.?(?:;.*)?$/.test(segment.replaceAll(/%2e/gi, '.'))).length;
}

/** Headers that a definition sets on what is sent to an endpoint. */
export const endpointHeadersSchema = z
  .array(
    section({
      name: headerNameSchema,
      value: withExpressions(headerValueSchema, { charsMax: headerValueCharsMax, readsBody: false }),
    }),
  )
  .max(headersPerPlaceMax)
  .default([]);
