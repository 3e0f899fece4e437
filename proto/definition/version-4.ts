import { placeOfCondition } from '../model/api-flows.ts';
import { planConsoleFields } from '../model/api-plans.ts';
import { apiConsoleFields } from '../model/api-schema.ts';
import { withoutLeftovers } from './leftovers.ts';
import {
  isEmpty,
  isJson,
  type Json,
  type Note,
  type OpenedApi,
  portalNote,
  type SourceApi,
} from './opened.ts';
import { plansInOrder } from './plans.ts';

/** Takes an API of version 4 out of its payload, export or resource and gives version and plans one form. */
export function openVersion4(source: SourceApi): OpenedApi {
  const { definitionVersion: _written, gravitee: _gravitee, version, ...rest } = source.api;
  const plans = source.plans === undefined ? undefined : plansInOrder(source);
  const body: Json = {
    ...(version === undefined ? {} : { apiVersion: version }),
    ...rest,
    gravitee: '4.0.0',
    ...(plans === undefined ? {} : { plans: plans.map(({ plan }) => plan) }),
  };
  const pathOf = pathsOf(source, plans?.map(({ path }) => path) ?? []);
  const { body: clean, notes, faults } = withoutLeftovers(body);
  return {
    body: clean,
    pathOf: (path) => pathOf(placeOfCondition(clean, path)),
    notes: [...notes.map((note) => ({ ...note, path: pathOf(note.path) })), ...portalNotes(clean, pathOf)],
    faults: faults.map((fault) => ({ ...fault, path: pathOf(fault.path) })),
  };
}

/** Places of plans are named by the list or map that they came from, the others by the holder of the API. */
function pathsOf({ api, at }: SourceApi, planPaths: readonly string[]): OpenedApi['pathOf'] {
  const isRenamed = api['apiVersion'] === undefined && api['version'] !== undefined;
  return (given) => {
    const path = given === 'apiVersion' && isRenamed ? 'version' : given;
    const plan = /^plans\[(\d+)\](.*)$/s.exec(path);
    if (plan === null) return at === '' || path.startsWith('plans') ? path : `${at}.${path}`;
    return `${planPaths[Number(plan[1])] ?? `plans[${plan[1]}]`}${plan[2] ?? ''}`;
  };
}

/** What of the API and its plans a gateway does not look at. */
function portalNotes(body: Json, pathOf: OpenedApi['pathOf']): readonly Note[] {
  const plans = listOf(body['plans']);
  return [
    ...forPortal(body, apiConsoleFields).map((key) => pathOf(key)),
    ...overridden(body).map((path) => pathOf(path)),
    ...plans.flatMap((plan, index) =>
      isJson(plan) ? forPortal(plan, planConsoleFields).map((key) => pathOf(`plans[${index}].${key}`)) : [],
    ),
  ].map(portalNote);
}

/** Fields that hold something, and are read here in spite of whom they are for. */
function forPortal(holder: Json, fields: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(holder).filter(
    (key) => Object.hasOwn(fields, key) && key !== 'state' && key !== 'order' && !isEmpty(holder[key]),
  );
}

/** Paths that say which address of an API the portal shows. */
function overridden({ listeners }: Json): readonly string[] {
  return listOf(listeners).flatMap((listener, l) =>
    listOf(isJson(listener) ? listener['paths'] : []).flatMap((entry, p) =>
      isJson(entry) && entry['overrideAccess'] === true ? [`listeners[${l}].paths[${p}].overrideAccess`] : [],
    ),
  );
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
