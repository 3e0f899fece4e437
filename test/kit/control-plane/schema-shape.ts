import type { z } from 'zod';

/** What a schema lets through, as far as it can be compared with another one: fields and bounds, whatever is around them. */
export type SchemaShape =
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, SchemaShape> }
  | { readonly kind: 'list'; readonly item: SchemaShape; readonly bounds: Bounds }
  | { readonly kind: 'map'; readonly value: SchemaShape; readonly bounds: Bounds }
  | { readonly kind: 'either'; readonly options: readonly SchemaShape[] }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'value'; readonly type: string; readonly bounds: Bounds }
  /** Anything, as what this version drops or refuses unless it is off. */
  | { readonly kind: 'anything' };

/** Smallest and largest number, length or count; absent where there is none. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Takes a schema apart: optional, defaults and transformations are taken off. */
export function shapeOf(schema: z.core.$ZodType): SchemaShape {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
      return shapeOf(def.innerType);
    case 'pipe':
      return shapeOf(def.in._zod.def.type === 'transform' ? def.out : def.in);
    case 'object':
      return {
        kind: 'object',
        fields: new Map(Object.entries(def.shape).map(([name, field]) => [name, shapeOf(field)])),
      };
    case 'array':
      return { kind: 'list', item: shapeOf(def.element), bounds: boundsOf(schema) };
    case 'record':
      return { kind: 'map', value: shapeOf(def.valueType), bounds: boundsOf(schema) };
    case 'union':
      return { kind: 'either', options: def.options.map(shapeOf) };
    case 'literal':
      return { kind: 'words', words: def.values.map(String) };
    case 'enum':
      return { kind: 'words', words: Object.values(def.entries).map(String) };
    case 'unknown':
    case 'any':
      return { kind: 'anything' };
    default:
      return { kind: 'value', type: def.type, bounds: boundsOf(schema) };
  }
}

function boundsOf(schema: z.core.$ZodType): Bounds {
  const bounds: { min?: number; max?: number } = {};
  for (const check of schema._zod.def.checks ?? []) {
    const { def } = (check as z.core.$ZodChecks)._zod;
    if (def.check === 'min_length') bounds.min = def.minimum;
    if (def.check === 'max_length') bounds.max = def.maximum;
    if (def.check === 'greater_than') bounds.min = Number(def.value);
    if (def.check === 'less_than') bounds.max = Number(def.value);
  }
  return bounds;
}
