import {
  type DebugChange,
  debugLimits,
  type DebugReport,
  type DebugStep,
} from '../../proto/model/records/debug-run.ts';
import { type RecordedStep, stepLists } from '../../proto/model/records/step-list.ts';
import type { AccessFacts } from '../report/facts.ts';
import type { HeaderLines, LogFacts, LoggedMessage, MaskRules } from '../report/logs/log-facts.ts';
import type { Masks, MasksOf } from '../report/logs/log-masks.ts';
import type { ObservedTrail } from './observed-trail.ts';
import type { Change } from './snapshot.ts';

/** What is known of a request that is over. */
export interface RunFacts {
  readonly access: AccessFacts;
  /** What was said; undefined where nothing was taken down. */
  readonly log: LogFacts | undefined;
  readonly trail: ObservedTrail | undefined;
  readonly notes: readonly string[];
}

/** Makes the words of a run; all that a caller, a backend or a step said is masked here, as it is in logs of calls. */
export function reportOf(facts: RunFacts, masksOf: MasksOf): DebugReport {
  const report = wholeReportOf(facts, masksOf);
  if (JSON.stringify(report).length <= debugLimits.reportBytesMax / 4) return report;
  return {
    ...report,
    steps: report.steps.map(({ changes: _left, ...step }) => step),
    notes: ['The steps changed more than is shown: what each changed is left out.', ...report.notes],
  };
}

function wholeReportOf({ access, log, trail, notes }: RunFacts, masksOf: MasksOf): DebugReport {
  const masks = masksOf(withHeads(log ?? nothingSaid(access), trail?.heads ?? []));
  const { steps, errorKey, errorMessage, totalUs, warnings } = access;
  return {
    steps: (steps?.steps ?? []).map((row) => stepOf(row, trail, masks)),
    ...sides(log, masks),
    ...(errorKey !== undefined && { errorKey: errorKey.slice(0, 256) }),
    ...(errorMessage !== undefined && { errorMessage: cut(masks.text(errorMessage)) }),
    notes: [...notes, ...warned(warnings, masks)].slice(0, debugLimits.notesMax - 2),
    totalUs,
  };
}

function stepOf(row: RecordedStep, trail: ObservedTrail | undefined, masks: Masks): DebugStep {
  const { phase, step, place, decision, from_us: fromUs, took_us: tookUs, said } = row;
  const changes = trail?.changesOf(phase, step, place);
  const of = phase === 'response' ? 'response' : 'request';
  return {
    phase,
    step,
    ...(place !== undefined && { place: place.slice(0, stepLists.placeCharsMax) }),
    decision,
    fromUs,
    tookUs,
    ...(said !== undefined && { said: masks.text(said).slice(0, stepLists.saidCharsMax) }),
    ...(changes !== undefined && { changes: changes.map((change) => shownChange(change, masks, of)) }),
  };
}

function shownChange({ part, name, before, after }: Change, masks: Masks, of: MaskRules['of']): DebugChange {
  const shown = (value: string | Uint8Array): string => {
    if (typeof value !== 'string') return shownBody(value, masks, of);
    if (name !== undefined) return cut(masks.header(name, value, of));
    return cut(part === 'path' || part === 'query' ? masks.uri(value) : value);
  };
  return {
    part,
    ...(name !== undefined && { name: cut(name) }),
    ...(before !== undefined && { before: shown(before) }),
    ...(after !== undefined && { after: shown(after) }),
    ...(after instanceof Uint8Array && { bytes: after.length }),
  };
}

function shownBody(content: Uint8Array, masks: Masks, of: MaskRules['of']): string {
  const bytes = content.subarray(0, debugLimits.shownBodyBytesMax);
  const cutBy = bytes.length < content.length ? 'body' : undefined;
  return masks.body({ bytes, total: content.length, cutBy }, of);
}

function sides(log: LogFacts | undefined, masks: Masks): Partial<DebugReport> {
  const { endpointRequest, endpointResponse, entrypointResponse } = log ?? {};
  return {
    ...(endpointRequest !== undefined && {
      backendRequest: {
        method: endpointRequest.method ?? '',
        uri: masks.uri(endpointRequest.uri ?? '').slice(0, 2 * debugLimits.pathCharsMax),
        ...shownMessage(endpointRequest, masks, 'request'),
      },
    }),
    ...(endpointResponse !== undefined && { backendResponse: shownAnswer(endpointResponse, masks) }),
    ...(entrypointResponse !== undefined && { response: shownAnswer(entrypointResponse, masks) }),
  };
}

const shownAnswer = (message: LoggedMessage, masks: Masks) => ({
  statusCode: message.status ?? 0,
  ...shownMessage(message, masks, 'response'),
});

function shownMessage({ headers = [], body }: LoggedMessage, masks: Masks, of: MaskRules['of']) {
  return {
    headers: headers
      .slice(0, debugLimits.shownHeadersMax)
      .map(([name, value]) => ({ name: cut(name), value: cut(masks.header(name, value, of)) })),
    ...(body !== undefined && { body: masks.body(body, of), bodyBytes: body.total }),
  };
}

/** What secret headers held at any time is masked wherever it is repeated. */
const withHeads = (log: LogFacts, heads: readonly HeaderLines[]): LogFacts => ({
  ...log,
  heads: [...log.heads, ...heads],
});

/** Of a request that was refused before anything was taken down. */
const nothingSaid = ({ timestampMs, requestId, transactionId }: AccessFacts): LogFacts => ({
  timestampMs,
  requestId,
  transactionId,
  traceId: undefined,
  errorKey: undefined,
  errorMessage: undefined,
  entrypointRequest: undefined,
  entrypointResponse: undefined,
  endpointRequest: undefined,
  endpointResponse: undefined,
  heads: [],
  secretHeaders: new Set(),
  rules: [],
  release: () => undefined,
});

/** What the record of a call has as JSON: what was not done as the definition says. */
function warned(warnings: string | undefined, masks: Masks): readonly string[] {
  if (warnings === undefined) return [];
  const list = JSON.parse(warnings) as readonly { readonly key: string; readonly message: string }[];
  return list.map(({ key, message }) => cut(masks.text(`${key}: ${message}`)));
}

const cut = (text: string): string =>
  text.length <= debugLimits.shownCharsMax ? text : `${text.slice(0, debugLimits.shownCharsMax - 1)}…`;
