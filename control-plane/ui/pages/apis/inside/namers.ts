import { isObject } from '../../../kit/schema-form/shape.ts';
import { type Design, flowsOf, lanes, stepsOf } from '../design/flows.ts';

interface Plan {
  readonly id: string;
  readonly security: { readonly configuration?: Readonly<Record<string, unknown>> };
}

/** How many steps and plans of an API say the name of a resource in their settings. */
export function namersOf(
  name: string,
  { design, plans }: { readonly design: Design; readonly plans: readonly Plan[] },
): number {
  if (name === '') return 0;
  const flows = [...flowsOf(design, 'api'), ...plans.flatMap(({ id }) => flowsOf(design, { plan: id }))];
  const steps = flows.flatMap((flow) => lanes.flatMap((lane) => stepsOf(flow, lane)));
  const settings: readonly unknown[] = [
    ...steps.map(({ configuration }) => configuration),
    ...plans.map(({ security }) => security.configuration),
  ];
  return settings.filter((each) => says(each, name)).length;
}

function says(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((each) => says(each, name));
  return isObject(value) ? Object.values(value).some((each) => says(each, name)) : value === name;
}
