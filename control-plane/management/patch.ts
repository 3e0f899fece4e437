import { z } from '@hono/zod-openapi';
import { Fault } from '../../proto/faults/fault.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { withoutNulls } from '../../proto/model/nulls.ts';
import { maskSealed } from '../../proto/model/secrets/sealed-values.ts';
import { depthMax, firstUnkeepable, tooDeepWords } from './keepable.ts';

/** Operations of one patch. */
const operationsMax = 256;
/** What the operations of one patch may copy altogether, characters of JSON: each copy could double what is there. */
const copiedCharsMax = 1_048_576;

const pointerSchema = z
  .string()
  .max(1_024)
  .regex(/^(\/([^~/]|~[01])*)*$/, 'must be a JSON pointer (RFC 6901)');
const operationSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.enum(['add', 'replace', 'test']), path: pointerSchema, value: z.unknown() }),
  z.strictObject({ op: z.literal('remove'), path: pointerSchema }),
  z.strictObject({ op: z.enum(['move', 'copy']), path: pointerSchema, from: pointerSchema }),
]);

/** A JSON Patch (RFC 6902). */
export const operationsSchema = z.array(operationSchema).max(operationsMax).openapi('JsonPatch');
/** A JSON Merge Patch (RFC 7396): fields with their new values, null for what is to go. */
const mergeSchema = z.record(z.string(), z.unknown());

/** Body of a PATCH; which of the two it is, is said by the content type and checked by the door. */
export const patchSchema = z.union([operationsSchema, mergeSchema]);
/** Query of a PATCH. */
export const patchQuery = z.strictObject({ dryRun: z.enum(['true', 'false']).optional() });

/** A patch of either kind. */
export type Patch = z.infer<typeof patchSchema>;
type Operation = z.infer<typeof operationSchema>;

/**
 * What a document becomes by a patch, checked as the body of a PUT is: reading, patching and putting back is the same.
 *
 * Secrets are masks in it, as for every reader. Errors: request.invalid for a field that is not patchable, a place that is not there and
 * what the schema refuses; jsonPatch.testFailed.
 */
export function patched<T>(
  document: object,
  patch: Patch,
  { schema, patchable }: { readonly schema: z.ZodType<T>; readonly patchable: readonly string[] },
): T {
  const fields = Array.isArray(patch) ? patch.flatMap(fieldsOf) : Object.keys(patch);
  const refused = fields.filter((field) => !patchable.includes(field));
  if (refused.length > 0)
    throw invalid(
      refused.map((path) => ({ path, message: `cannot be patched; only ${patchable.join(', ')} can` })),
    );
  // A copy of its own, since operations change it in place.
  const before = structuredClone(maskSealed(document));
  const after = Array.isArray(patch) ? operated(before, patch) : merged(before, patch);
  const fault = firstUnkeepable(after);
  if (fault !== undefined) throw invalid([fault]);
  const parsed = schema.safeParse(withoutNulls(after, { depthMax, refuse: tooDeep }));
  if (!parsed.success) throw invalid(detailsOf(parsed.error.issues));
  return parsed.data;
}

function fieldsOf(operation: Operation): readonly string[] {
  const [field = ''] = segmentsOf(operation.path);
  if (operation.op === 'test') return [];
  return operation.op === 'move' ? [field, segmentsOf(operation.from)[0] ?? ''] : [field];
}

function merged(target: unknown, changes: unknown): unknown {
  if (!isObject(changes)) return changes;
  const kept = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(changes))
    if (value === null) kept.delete(name);
    else kept.set(name, merged(kept.get(name), value));
  return Object.fromEntries(kept);
}

function operated(document: unknown, operations: readonly Operation[]): unknown {
  const root = { document };
  let copiedChars = 0;
  operations.forEach((operation, index) => {
    const at = placeAt(root, operation.path, `[${index}].path`);
    switch (operation.op) {
      case 'add':
        return at.add(operation.value);
      case 'replace':
        at.remove();
        return at.add(operation.value);
      case 'remove':
        return at.remove();
      case 'test':
        if (!isSame(at.read(), operation.value))
          throw new Fault('jsonPatch.testFailed', {
            details: [{ path: `[${index}]`, message: 'is not what stands there' }],
          });
        return;
      case 'move': {
        if (`${operation.path}/`.startsWith(`${operation.from}/`) && operation.path !== operation.from)
          throw invalid([{ path: `[${index}].from`, message: 'cannot be moved into itself' }]);
        const from = placeAt(root, operation.from, `[${index}].from`);
        const value = from.read();
        from.remove();
        return placeAt(root, operation.path, `[${index}].path`).add(value);
      }
      case 'copy': {
        const value = placeAt(root, operation.from, `[${index}].from`).read();
        copiedChars += JSON.stringify(value).length;
        if (copiedChars > copiedCharsMax)
          throw invalid([
            {
              path: `[${index}]`,
              message: `copies more than ${copiedCharsMax} characters with those before`,
            },
          ]);
        return at.add(structuredClone(value));
      }
    }
  });
  return root.document;
}

interface Place {
  read(): unknown;
  add(value: unknown): void;
  remove(): void;
}

/** The place that a pointer means, whose parent must be there. */
function placeAt(root: { document: unknown }, pointer: string, location: string): Place {
  const missing = (): never => {
    throw invalid([{ path: location, message: `leads nowhere: ${JSON.stringify(pointer)}` }]);
  };
  const segments = ['document', ...segmentsOf(pointer)];
  const last = segments.pop() ?? 'document';
  let parent: unknown = root;
  for (const segment of segments) parent = childOf(parent, segment) ?? missing();
  const holder = parent;
  if (Array.isArray(holder)) {
    const index = last === '-' ? holder.length : indexOf(last);
    const isThere = index !== undefined && index < holder.length;
    return {
      read: () => (isThere ? holder[index] : missing()),
      add: (value) =>
        void (index !== undefined && index <= holder.length ? holder.splice(index, 0, value) : missing()),
      remove: () => void (isThere ? holder.splice(index, 1) : missing()),
    };
  }
  if (!isObject(holder) || last === '__proto__') return missing();
  return {
    read: () => (Object.hasOwn(holder, last) ? holder[last] : missing()),
    add: (value) =>
      void Object.defineProperty(holder, last, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      }),
    remove: () => void (Object.hasOwn(holder, last) ? delete holder[last] : missing()),
  };
}

function childOf(holder: unknown, segment: string): unknown {
  if (Array.isArray(holder)) return holder[indexOf(segment) ?? -1] as unknown;
  return isObject(holder) && Object.hasOwn(holder, segment) ? holder[segment] : undefined;
}

function segmentsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function indexOf(segment: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(segment) ? Number(segment) : undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, n) => isSame(item, b[n]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tooDeep(): never {
  throw invalid([{ path: '', message: tooDeepWords }]);
}

function invalid(details: readonly { readonly path: string; readonly message: string }[]): Fault {
  return new Fault('request.invalid', { details });
}
