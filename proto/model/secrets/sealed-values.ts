import { isSealed, mask } from '../../trust/sealed-text.ts';
import { isJson, mapFields, pathBelow } from './walk.ts';

/** Where a sealed text stands in any value, by its path; undefined where none does. */
export function pathOfSealed(value: unknown, at = ''): string | undefined {
  if (typeof value === 'string') return isSealed(value) ? at : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${at}[${name}]` : pathBelow(at, name);
    const found = pathOfSealed(item, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A value as people see it: a mask stands where a sealed text did, wherever that is. What has none is the very same value. */
export function maskSealed<Value>(value: Value): Value {
  return masked(value) as Value;
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return isSealed(value) ? mask : value;
  if (Array.isArray(value)) {
    const items = value.map(masked);
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  return isJson(value) ? mapFields(value, masked) : value;
}
