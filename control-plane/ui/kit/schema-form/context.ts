import { createContext, use, type ComponentType } from 'react';
import type { FormFault } from './faults.ts';
import type { JsonSchema } from './shape.ts';

/** A value of a form: its schema, where it stands, and how it is replaced; undefined takes it away. */
export interface FormPlace {
  readonly label: string;
  readonly schema: JsonSchema;
  readonly path: string;
  readonly value: unknown;
  readonly isRequired: boolean;
  readonly onChange: (value: unknown) => void;
}

/** What all fields of a form share; `Field` draws any value, for those whose values hold values. */
export const FormContext = createContext<{
  readonly faults: readonly FormFault[];
  /** Where the value of the form stands in what it is a part of; ends with a dot, or is empty. */
  readonly prefix: string;
  readonly Field: ComponentType<FormPlace>;
}>({ faults: [], prefix: '', Field: () => null });

/** What is wrong at a place, in one line. */
export function useFault(path: string): string | undefined {
  const here = use(FormContext).faults.filter((fault) => fault.path === path);
  return here.length === 0 ? undefined : [...new Set(here.map(({ message }) => message))].join('; ');
}
