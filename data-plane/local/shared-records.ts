import { z } from 'zod';

import { isJson, type Json } from '../../proto/definition/opened.ts';
import {
  hridOf,
  type KubernetesObject,
  nameOf,
  type Objects,
  resolved,
  unresolved,
} from '../../proto/definition/resources.ts';
import type { FaultDetail } from '../../proto/faults/fault.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import {
  encodeDictionary,
  encodeOrganizationFlows,
  encodeSharedPolicyGroup,
} from '../../proto/wire/payloads.ts';
import type { LocalRecord } from './records.ts';

/** A text that is not empty. */
export const text = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .refine((value) => value.isWellFormed(), 'holds half a character (a lone surrogate), which is no text');

/** What is read as a text, however it is written. */
export const word = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .pipe(z.string().max(65_536));

/** What is in a dictionary, by key. */
export const dictionarySchema = z.record(text(256), word);

/** A dictionary by the name that expressions call it. */
export function dictionaryRecord(
  name: string,
  words: z.output<typeof dictionarySchema>,
  place: Pick<LocalRecord, 'file' | 'document'>,
): LocalRecord {
  const entries = Object.entries(words).map(([key, value]) => ({ key, value }));
  return { kind: 'dictionary', id: name, payload: encodeDictionary({ id: name, name, entries }), ...place };
}

/** A shared policy group as it is written; whether it can run the gateway says when it takes the record. */
export function groupRecord(
  { id, name, ...rest }: Json & { readonly id: string },
  place: Pick<LocalRecord, 'file' | 'document' | 'at'>,
): LocalRecord {
  const payload = encodeSharedPolicyGroup({
    id,
    name: (typeof name === 'string' && name !== '' ? name : id).slice(0, wireLimits.nameCharsMax),
    definition: JSON.stringify(rest),
  });
  return { kind: 'shared-policy-group', id, payload, ...place };
}

/** The organization's flows as they are written: an object, or the list of flows alone. */
export function organizationFlowsRecord(
  written: Json | readonly unknown[],
  { organization, file }: { readonly organization: string; readonly file: string },
): LocalRecord {
  const isList = Array.isArray(written);
  const definition = JSON.stringify(isList ? { flows: written } : written);
  const payload = encodeOrganizationFlows({ id: organization, definition });
  const at = { from: isList ? 'flows' : '', to: 'organizationFlows' };
  return { kind: 'organization-flows', id: organization, payload, file, at };
}

/** The group of a custom resource, by the id that steps of custom resources name. Errors: Error. */
export function groupOfObject(
  object: KubernetesObject,
  objects: Objects,
  place: Pick<LocalRecord, 'file' | 'document'>,
): LocalRecord {
  const { spec } = resolved(object, objects);
  if (!isJson(spec)) throw new Error('spec is required: it holds the shared policy group');
  // Which control plane the operator speaks to is not this gateway's.
  const { crossId = hridOf(object), name = nameOf(object), contextRef: _contextRef, ...rest } = spec;
  if (typeof crossId !== 'string' || crossId === '' || crossId.length > wireLimits.idCharsMax)
    throw new Error(`spec.crossId must be a text of at most ${wireLimits.idCharsMax} characters`);
  return groupRecord({ ...rest, id: crossId, name }, place);
}

/** The custom resource of a dictionary, which expressions call `<namespace>-<name>`. */
const dictionaryManifest = z.looseObject({
  deployed: z.boolean().default(true),
  manual: z.looseObject({ properties: dictionarySchema.default({}) }),
});

/** Says whether a dictionary's custom resource names a server out of which somebody fills it; no gateway does. */
export function isDynamic({ spec }: KubernetesObject): boolean {
  return isJson(spec) && (spec['type'] === 'DYNAMIC' || (isJson(spec['dynamic']) && !isJson(spec['manual'])));
}

/** The dictionary of a custom resource; none when it is not deployed, or is {@link isDynamic}. Errors: Error. */
export function dictionaryOfObject(
  object: KubernetesObject,
  objects: Objects,
  place: Pick<LocalRecord, 'file' | 'document'>,
): readonly LocalRecord[] {
  if (isDynamic(object)) return [];
  const { spec } = resolved(object, objects);
  const { data, error } = dictionaryManifest.safeParse(spec);
  const wrong: readonly FaultDetail[] =
    error === undefined ? unresolved(spec, 'spec') : detailsOf(error.issues, 'spec');
  const name = hridOf(object);
  if (wrong.length > 0)
    throw new Error(
      `dictionary "${name}": ${wrong.map(({ path, message }) => `${path} ${message}`).join('; ')}`,
    );
  return data?.deployed === true ? [dictionaryRecord(name, data.manual.properties, place)] : [];
}
