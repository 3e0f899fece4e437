import type { z } from 'zod';

import type { FaultDetail } from '../../faults/fault.ts';
import type { DeployMark } from './at-deploy.ts';
import { expressionsIn } from '../../expression/find.ts';
import { lookForMarks } from '../secrets/marks.ts';

const known = new WeakMap<z.ZodType, ReadonlySet<string>>();

/** Fields of a configuration that are worked out when the API is deployed: `ssl.keyStore.password`, `servers.[].name`. */
function deployFieldsOf(schema: z.ZodType): ReadonlySet<string> {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const fields = new Set<string>();
  lookForMarks(schema, (path, mark: Partial<DeployMark>) => {
    if (mark.isKnownAtDeploy === true) fields.add(path.join('.'));
    return mark.isKnownAtDeploy === true;
  });
  known.set(schema, fields);
  return fields;
}

/** All texts of a parsed configuration that hold an expression where none is worked out, neither per request nor at deploy. */
export function expressionsLeftIn(parsed: unknown, schema: z.ZodType, at: string): readonly FaultDetail[] {
  const found = expressionsIn(parsed, at);
  if (found.length === 0) return found;
  const fields = deployFieldsOf(schema);
  return found.filter(({ path }) => !fields.has(fieldOf(path, at)));
}

/** A field without the numbers of its lists, from the configuration on. */
function fieldOf(path: string, at: string): string {
  return path.slice(at.length + 1).replaceAll(/\[\d+\]/g, '.[]');
}

/** Says whether what stands under a name is not in use: it is kept as it is, whatever it holds. */
export function isIdle(name: string, value: object): boolean {
  const said = (field: string): unknown => Object.getOwnPropertyDescriptor(value, field)?.value;
  if (name === 'proxy') return said('enabled') !== true;
  if (name === 'trustStore' || name === 'keyStore')
    return ['', 'NONE', undefined].includes(said('type') as string);
  return said('enabled') === false;
}

/** The same value with its texts in such fields as `change` makes them; what it leaves as it is, or is not in use, stays the same object. */
export function changeDeployFields<Value>(
  value: Value,
  schema: z.ZodType,
  change: (text: string, path: string) => string,
): Value {
  const fields = deployFieldsOf(schema);
  return fields.size === 0 ? value : (changed(value, { fields, change }, { field: '', path: '' }) as Value);
}

interface Changing {
  readonly fields: ReadonlySet<string>;
  readonly change: (text: string, path: string) => string;
}

interface At {
  readonly field: string;
  readonly path: string;
}

function changed(value: unknown, changing: Changing, at: At): unknown {
  if (typeof value === 'string')
    return changing.fields.has(at.field) ? changing.change(value, at.path) : value;
  const below = (name: string): string => (at.field === '' ? name : `${at.field}.${name}`);
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, n) =>
      changed(item, changing, { field: below('[]'), path: `${at.path}[${n}]` }),
    );
    return items.every((item, n) => item === value[n]) ? value : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  let isSame = true;
  const entries = Object.entries(value).map(([name, item]: [string, unknown]) => {
    if (typeof item === 'object' && item !== null && isIdle(name, item)) return [name, item] as const;
    const path = at.path === '' ? name : `${at.path}.${name}`;
    const made = changed(item, changing, { field: below(name), path });
    if (made !== item) isSame = false;
    return [name, made] as const;
  });
  return isSame ? value : Object.fromEntries(entries);
}
