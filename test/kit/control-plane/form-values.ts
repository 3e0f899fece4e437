import assert from 'node:assert/strict';
import type { z } from 'zod';
import {
  endpointPlugins,
  entrypointPlugins,
  formOf,
  policyPlugins,
  resourcePlugins,
  servicePlugins,
} from '../../../control-plane/management/plugins/plugins.ts';
import {
  blankOf,
  isObject,
  type JsonObject,
  type JsonSchema,
  textWritten,
  widgetOf,
  withKey,
} from '../../../control-plane/ui/kit/schema-form/shape.ts';
import type { Random } from '../random.ts';

/** Something with a form, e.g. `policies/rate-limit`. */
export interface FormCase {
  readonly form: string;
  readonly config: z.ZodType;
  readonly schema: JsonSchema;
}

/** Everything of this version that has a form. */
export const formCases: readonly FormCase[] = (
  [
    ['policies', policyPlugins],
    ['resources', resourcePlugins],
    ['endpoints', endpointPlugins],
    ['entrypoints', entrypointPlugins],
    ['api-services', servicePlugins],
  ] as const
).flatMap(([kind, plugins]) =>
  [...plugins].flatMap(([id, plugin]) => {
    const { config, sharedConfig } = plugin;
    return [
      { form: `${kind}/${id}`, config, schema: formOf(plugin) },
      ...(sharedConfig === undefined
        ? []
        : [
            { form: `${kind}/${id}, shared`, config: sharedConfig, schema: formOf({ config: sharedConfig }) },
          ]),
    ];
  }),
);

/** What somebody who fills a form writes at one field; `percent` is how much of what may be absent is there. */
function filled(schema: JsonSchema, random: Random, percent: number): unknown {
  const widget = widgetOf(schema);
  switch (widget.kind) {
    case 'text':
      return textWritten({ schema, isRequired: true }, sampleText(schema, random));
    case 'number':
      return sampleNumber(schema, random);
    case 'switch':
      return random.chance(50);
    case 'choice':
      return random.pick(widget.options as readonly [string, ...string[]]);
    case 'choices':
      return widget.options.filter(() => random.chance(50));
    case 'list':
      return Array.from({ length: Math.min(random.between(1, 3), schema.maxItems ?? 3) }, () =>
        filled(widget.items, random, percent),
      );
    case 'map':
      return { one: filled(widget.each, random, percent) };
    case 'union': {
      const branch = widget.branches[random.below(widget.branches.length)];
      return filledForm(branch?.schema ?? {}, random, percent);
    }
    case 'group':
      return filledForm(schema, random, percent);
    case 'json':
      throw new Error(`no widget for ${JSON.stringify(schema)}`);
  }
}

/** A whole configuration as a form makes it: what is blank first, then field by field; `percent` as above. */
export function filledForm(schema: JsonSchema, random: Random, percent: number): JsonObject {
  const blank = blankOf({ ...schema, default: undefined });
  assert.ok(isObject(blank));
  const widget = widgetOf(schema);
  assert.equal(widget.kind, 'group');
  let value: JsonObject = blank;
  for (const field of widget.kind === 'group' ? widget.fields : [])
    if (field.isRequired || random.chance(percent))
      value = withKey(value, field.key, filled(field.schema, random, percent));
  return value;
}

function sampleText(
  { minLength = 0, maxLength = 40, pattern, anyOf, oneOf }: JsonSchema,
  random: Random,
): string {
  const branch = (oneOf ?? anyOf)?.findLast(({ type }) => type !== 'null');
  if (branch !== undefined) return sampleText(branch, random);
  if (pattern !== undefined)
    return ['X-Name', '/a/b', '404'].find((each) => new RegExp(pattern).test(each)) ?? '';
  return 'ab{#c}é "d" <e>'.slice(0, Math.min(Math.max(minLength, 1, random.below(15)), maxLength));
}

function sampleNumber({ minimum, maximum, anyOf, oneOf }: JsonSchema, random: Random): number {
  const branch = (oneOf ?? anyOf)?.at(-1);
  if (branch !== undefined) return sampleNumber(branch, random);
  const low = minimum ?? 0;
  const high = Math.min(maximum ?? low + 1_000, low + 1_000);
  // Whole ones above the least, of which there may be none.
  return Math.min(random.between(low, high), high);
}
