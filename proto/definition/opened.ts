import type { FaultDetail } from '../faults/fault.ts';

/** An object of JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** Something that whoever wrote a definition may want to know although it loads. */
export interface Note {
  /** Where it stands in the input, as people write it: `spec.contextRef`. */
  readonly path: string;
  /**
   * `portal`: belongs to console, portal and importers; `kubernetes`: belongs to the operator; `idle`: changes nothing here;
   * `doubt`: loads, but perhaps not as it was meant.
   */
  readonly kind: 'portal' | 'kubernetes' | 'idle' | 'doubt';
  /** Completes a sentence that begins with the path. */
  readonly message: string;
}

/** An API as it stands in its input, whose version and outer form are known. Nothing in it is null. */
export interface SourceApi {
  readonly api: Json;
  /** Where it stands in the input: '', `api` or `spec`. */
  readonly at: string;
  /** A list or a map; exports have them beside the API. */
  readonly plans: unknown;
  /** Where they stand: `plans`, `api.plans`, `spec.plans`. */
  readonly plansAt: string;
  readonly holder: 'definition' | 'export' | 'custom-resource';
}

/** An API of a known version, and what was found on the way to it. */
export interface FoundSource {
  readonly source: SourceApi;
  readonly version: 1 | 2 | 4;
  readonly notes: readonly Note[];
  readonly faults: readonly FaultDetail[];
}

/** A definition in the words of version 4, whatever it came as. */
export interface OpenedApi {
  /**
   * What proto/model reads: an API of version 4 in any spelling of its words, `gravitee: '4.0.0'`, plans as a list in their order, each with
   * an id.
   */
  readonly body: Json;
  /** The place in the input that a place of the body came from. */
  readonly pathOf: (path: string) => string;
  readonly notes: readonly Note[];
  /** What has no form in version 4, by its place in the input; told together with what the model finds. */
  readonly faults: readonly FaultDetail[];
}

/** Says whether a value is an object of JSON, and no list. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Says whether a value asks for nothing: off, empty, or full of what is. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJson(value) && Object.values(value).every(isEmpty);
}

/** The note on something that console, portal and importers read. */
export function portalNote(path: string): Note {
  return { path, kind: 'portal', message: 'is for console and portal' };
}
