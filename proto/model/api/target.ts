import { z } from 'zod';

import type { JoinedPiece, JudgePieces } from '../../expression/template.ts';
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

/** A host and port that a request may lead to when it chooses them itself. */
export interface ChosenHost {
  /** As URLs have it, in lower case and without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Judges addresses that are written with expressions. What a client brings into one stays inside the segment, the query, or the label of a
 * host's name, in which the definition asks for it. A label stands below a name that the definition says (`{#...}.example`). Scheme, port,
 * or another part of the host may be a client's only where `mayBeChosen` knows host and port. Own pieces may do anything.
 *
 * A text that is no URL, such as `name:/path`, names something of the definition; whoever reads it looks it up there.
 */
export function judgeOfTargets(mayBeChosen: (chosen: ChosenHost) => boolean): JudgePieces {
  return (pieces) => {
    const read = asRead(pieces);
    return whyMisplaced(read) ?? whyNotChosen(read, mayBeChosen);
  };
}

/** Parsers of URLs pass over spaces and controls in front of one. */
function asRead(pieces: readonly JoinedPiece[]): readonly JoinedPiece[] {
  const [first, ...rest] = pieces;
  if (first?.isOwn !== true) return pieces;
  const text = first.text.replace(/^[\p{Cc} ]+/u, '');
  if (text === '') return asRead(rest);
  return text === first.text ? pieces : [{ text, isOwn: true }, ...rest];
}

function whyMisplaced(pieces: readonly JoinedPiece[]): string | undefined {
  let before = '';
  for (const [index, { text, isOwn }] of pieces.entries()) {
    if (!isOwn) {
      const isQuery = before.includes('?');
      const isHost =
        /^(?:https?|grpcs?):\/\/[^/?#]*$/i.test(before) && !beginsPath(before, pieces.slice(index));
      if (controls.test(text)) return 'a control character is brought into the target by the request';
      // Of a whole address it is asked whether it may be chosen.
      const ends = isHost
        ? hostEnds
        : before === ''
          ? /\\/
          : isQuery
            ? /#/
            : ownName.test(before)
              ? /[?\\]/
              : pathEnds;
      if (ends.test(text))
        return `what the request brings into the target holds a character that ends its ${isHost ? 'host' : isQuery ? 'query' : 'path'}`;
    }
    before += text;
  }
  const own = pieces.map(({ text, isOwn }) => (isOwn ? text : 'x')).join('');
  return dotSegments(before) > dotSegments(own)
    ? 'what the request brings into the target leaves its path by a dot segment'
    : undefined;
}

/** A host and port of the definition, whole as far as they can be: no text of a request belongs to them. */
const wholeHost = /^(?:https?|grpcs?):\/\/[^\s/?#\\]*[a-z0-9\]]$/i;

/** What a request brings is the path behind such a host, all of it: `http://orders.internal{#request.pathInfo}`. */
const beginsPath = (before: string, [brought, ...rest]: readonly JoinedPiece[]): boolean =>
  wholeHost.test(before) &&
  brought?.text.startsWith('/') === true &&
  /^(?:$|[/?#])/.test(rest.map(({ text }) => text).join(''));

/** Scheme and host stand in front of whatever a request brings. */
const ownHost = /^(?:https?|grpcs?):\/\/[^\s/?#\\]+[/?#]/i;
/** A name of something of the definition does; what cannot stand in the path behind it is escaped. Parsers of URLs pass over some controls. */
const ownName = /^(?!(?:https?|grpcs?):)[^:/?#\\\p{Cc}]+:/iu;
/** Stands for a label that a request brings. */
const label = '\0';
/** For whatever else it brings, but for a path: nothing of a host that the definition says. */
const foreign = '\x01';
const ownDomain =
  // oxlint-disable-next-line no-control-regex -- the label's mark
  /^(?:https?|grpcs?):\/\/[\w.\-\0]*\0(?:\.[\w-]+)*\.[a-z](?:[\w-]*\w)?\.?(?::\d+)?(?:[/?#]|$)/i;
const oneLabel = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/i;

function whyNotChosen(
  pieces: readonly JoinedPiece[],
  mayBeChosen: (chosen: ChosenHost) => boolean,
): string | undefined {
  const first = pieces.findIndex(({ text, isOwn }) => !isOwn && text !== '');
  const textOf = (some: readonly JoinedPiece[]): string => some.map(({ text }) => text).join('');
  const lead = textOf(pieces.slice(0, Math.max(0, first)));
  if (first === -1 || ownHost.test(lead) || ownName.test(lead)) return undefined;
  if (beginsPath(lead, pieces.slice(first))) return undefined;
  const marked = pieces.map(({ text, isOwn }) =>
    isOwn || text === '' || text.startsWith('/') ? text : oneLabel.test(text) ? label : foreign,
  );
  if (ownDomain.test(marked.join(''))) return undefined;
  // Parsed as it will be: what spellings of a host mean only the parser knows.
  const text = textOf(pieces)
    .trim()
    .replace(/^grpc(s?):/i, 'http$1:');
  const url = URL.parse(text);
  if (url === null)
    return /^https?:/i.test(text) ? 'what the request brings makes the target no URL' : undefined;
  if (!/^https?:$/.test(url.protocol)) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return url.username === '' && url.password === '' && mayBeChosen({ host, port })
    ? undefined
    : 'the request chooses the host of the target, and upstream.chosenByRequests does not name it';
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
