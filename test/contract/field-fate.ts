/** What becomes of a field of a definition. */
export type FieldFate =
  /** It does something; the file of the test that sees it, which names the field. */
  | { readonly kind: 'observed'; readonly test: string }
  /** Accepted only where it asks for nothing; with this value it is refused by name. */
  | { readonly kind: 'refused'; readonly unless: unknown }
  /** Of the console, the portal or an importer, which read it elsewhere: a gateway does not look at it. */
  | { readonly kind: 'portal' }
  /** It asks for what cannot be asked for in this version, or does nothing in the reference either; in words why. */
  | { readonly kind: 'idle'; readonly why: string };

/** It is seen by this test. */
export const observed = (test: string): FieldFate => ({ kind: 'observed', test });
/** It is refused unless it is off; `unless` is how it would not be. */
export const refused = (unless: unknown = { enabled: true }): FieldFate => ({ kind: 'refused', unless });
/** It does nothing, and why. */
export const idle = (why: string): FieldFate => ({ kind: 'idle', why });
/** It is read elsewhere. */
export const portal: FieldFate = { kind: 'portal' };

/** The same fate for several fields of one place. */
export const all = (
  place: string,
  names: string,
  fate: FieldFate,
): readonly (readonly [string, FieldFate])[] => names.split(' ').map((name) => [`${place}${name}`, fate]);
