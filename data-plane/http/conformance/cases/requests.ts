import { chunkedCases } from './chunked.ts';
import { connectionCases } from './connection.ts';
import { fieldCases } from './fields.ts';
import { framingCases } from './framing.ts';
import { hostCases } from './host.ts';
import { limitCases } from './limits.ts';
import type { RequestCase } from './request-case.ts';
import { requestLineCases } from './request-line.ts';
import { targetCases } from './target.ts';

/** Every request case, by theme. */
export const requestThemes: Readonly<Record<string, readonly RequestCase[]>> = {
  'request line': requestLineCases,
  target: targetCases,
  fields: fieldCases,
  host: hostCases,
  framing: framingCases,
  chunked: chunkedCases,
  limits: limitCases,
  connection: connectionCases,
};
