import type { FaultDetail } from '../faults/fault.ts';
import { hasExpression } from '../expression/find.ts';
import { type ApiDefinition, parseApi } from '../model/api.ts';
import { cleaned, invalid } from './clean.ts';
import { planConsoleFields } from '../model/api-plans.ts';
import { apiConsoleFields } from '../model/api-schema.ts';
import { doubtfulTexts } from '../model/api/doubtful-texts.ts';
import { idleParts } from '../model/api/idle-parts.ts';
import { maskFaults } from '../model/secrets/masks.ts';
import { withoutSecretsOf } from '../model/secrets/scrub.ts';
import { type FoundSource, isJson, type Json, type Note, type OpenedApi } from './opened.ts';
import { sourceOf } from './source.ts';
import { portalPartsOf } from './v2/export.ts';
import { openVersion2 } from './v2/open.ts';
import { openVersion4 } from './version-4.ts';
import type { PortalParts } from './write.ts';

export type { Note } from './opened.ts';

/** An API as the platform knows it, and what else is to be said of its input. */
export interface ReadApi {
  readonly api: ApiDefinition;
  readonly notes: readonly Note[];
}

/**
 * Reads an API definition in any form that one comes in; nothing behind this door knows versions or spellings.
 *
 * Shape:  see `sourceOf` (source.ts), or a canonical definition again.
 * Errors: request.invalid with a detail per fault: what is unknown, and what this version does not run, is named with its path in the
 *         input and what is allowed, never ignored; a secret of which only the mask is there. None repeats a secret of the input.
 */
export function readApi(input: unknown): ReadApi {
  return withoutSecretsOf(input, () => readOpened(openFound(sourceOf(cleaned(input))), maskFaults));
}

/**
 * The same, with what console and portal keep of the API and its plans; importers take it over. Masks are taken: the importer may keep what
 * they stand for. Errors: as {@link readApi}.
 */
export function readForImport(input: unknown): ReadApi & { readonly portal: PortalParts } {
  return withoutSecretsOf(input, () => {
    const found = sourceOf(cleaned(input));
    const opened = openFound(found);
    const portal = found.version === 4 ? portalPartsIn(opened.body) : portalPartsOf(found.source);
    return { ...readOpened(opened, () => []), portal };
  });
}

/** Of version 4 they stand in the body, which has only what runs of the versions before. */
function portalPartsIn(body: Json): PortalParts {
  const plans: readonly unknown[] = Array.isArray(body['plans']) ? body['plans'] : [];
  return {
    api: portalFields(body, apiConsoleFields),
    plans: new Map(
      plans
        .filter(isJson)
        .map((plan) => [String(plan['id']), commentRequired(portalFields(plan, planConsoleFields))]),
    ),
  };
}

/** Exports have the field in the spelling of version 2 as well. */
function commentRequired({ comment_required: old, ...fields }: Json): Json {
  return old === undefined ? fields : { commentRequired: old, ...fields };
}

function portalFields(holder: Json, fields: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(Object.entries(holder).filter(([key]) => Object.hasOwn(fields, key)));
}

function readOpened(
  { body, pathOf, notes, faults }: OpenedApi,
  judge: (api: unknown) => readonly FaultDetail[],
): ReadApi {
  const parsed = parseApi(body);
  const found = parsed.kind === 'faults' ? [...parsed.faults, ...judge(body)] : judge(parsed.api);
  const known = new Set(faults.map(({ path }) => path));
  const renamed = found.map(({ path, message }) => ({ path: pathOf(path), message }));
  const others = renamed.filter(({ path }) => !known.has(path));
  // Several places of a body may come from one of the input.
  const all = [
    ...new Map([...faults, ...others].map((fault) => [`${fault.path} ${fault.message}`, fault])).values(),
  ];
  if (parsed.kind === 'faults' || all.length > 0) throw invalid(all);
  const doubts = doubtfulTexts(parsed.api).map(({ path, message }): Note => ({
    path: pathOf(path),
    kind: 'doubt',
    message,
  }));
  return {
    api: parsed.api,
    notes: [...notes, ...plainProperties(parsed.api, pathOf), ...tracing(parsed.api, pathOf), ...doubts],
  };
}

/** Parts of a definition that do nothing, or not what may be meant, by their places in the input; none where it does not load. */
export function readIdleParts(input: unknown): readonly Note[] {
  const { body, pathOf } = openFound(sourceOf(cleaned(input)));
  const parsed = parseApi(body);
  if (parsed.kind === 'faults') return [];
  return idleParts(parsed.api).map(({ path, ...note }) => ({ ...note, path: pathOf(path) }));
}

/** Where a path of what was read of this input stands in it: what is found out later (when it is compiled) is told there as well. */
export function placesIn(input: unknown): OpenedApi['pathOf'] {
  return openFound(sourceOf(cleaned(input))).pathOf;
}

/** Values of properties are never worked out; who writes an expression into one most likely thinks that they are. */
function plainProperties({ properties }: ApiDefinition, pathOf: OpenedApi['pathOf']): readonly Note[] {
  return properties.flatMap(({ value }, index): readonly Note[] =>
    hasExpression(value)
      ? [{ path: pathOf(`properties[${index}].value`), kind: 'doubt', message: plainPropertyMessage }]
      : [],
  );
}

const plainPropertyMessage =
  'looks like an expression, but values of properties are plain text; write it where the property is read';

/** Whoever turns it on waits for spans. */
function tracing({ analytics }: ApiDefinition, pathOf: OpenedApi['pathOf']): readonly Note[] {
  const path = pathOf('analytics.tracing.enabled');
  const message =
    'passes the W3C context of a trace on to the backend (traceparent, tracestate), and makes no spans';
  return analytics.tracing?.enabled === true ? [{ path, kind: 'doubt', message }] : [];
}

function openFound({ source, version, notes, faults }: FoundSource): OpenedApi {
  const opened = version === 4 ? openVersion4(source) : openVersion2({ ...source, version });
  return { ...opened, notes: [...notes, ...opened.notes], faults: [...faults, ...opened.faults] };
}
