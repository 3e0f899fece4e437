import { all, type FieldFate, idle, observed } from './field-fate.ts';

/** Fields of the policies of the family `scripts/`; see `definition-fields.ts`. */
export const scriptFates: readonly (readonly [string, FieldFate])[] = [
  ...all('js.', 'script readContent overrideContent', observed('data-plane/policies/scripts/js.test.ts')),
  ...all(
    'javascript.',
    'script readContent overrideContent onRequestScript onRequestContentScript onResponseScript onResponseContentScript',
    observed('data-plane/policies/scripts/javascript.test.ts'),
  ),
  ...['js.scope', 'javascript.scope'].map(
    (place) => [place, idle('of version 2; the phase is where the step stands')] as const,
  ),
];
