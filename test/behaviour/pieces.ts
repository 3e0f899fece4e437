/** Pieces of definitions that rows are made of. */

type Json = Readonly<Record<string, unknown>>;
type Phase = 'request' | 'response';

/** A step of a policy. */
export const step = (policy: string, configuration: Json = {}, more: Json = {}): Json => ({
  name: policy,
  enabled: true,
  policy,
  configuration,
  ...more,
});

/** A step that sets a header. */
export const set = (name: string, value: string, more: Json = {}): Json =>
  step('transform-headers', { addHeaders: [{ name, value }] }, more);

/** A step that adds a letter to an attribute, so that the order of steps can be seen in it. */
export const mark = (letter: string, more: Json = {}): Json =>
  step(
    'policy-assign-attributes',
    { attributes: [{ name: 'order', value: `{#context.attributes['order'] ?: ''}${letter}` }] },
    more,
  );

/** A step that shows an expression's value in a header. */
export const show = (name: string, expression: string): Json => set(name, `{${expression}}`);

/** A flow at a path; `more` are its other fields. */
export function flow(path: string, steps: Partial<Record<Phase, readonly Json[]>>, more: Json = {}): Json {
  return {
    name: path,
    enabled: true,
    selectors: [{ type: 'http', path, pathOperator: 'STARTS_WITH', methods: [] }],
    ...steps,
    ...more,
  };
}

/** The selector of a flow at a path with an operator and methods. */
export const at = (path: string, pathOperator = 'STARTS_WITH', methods: readonly string[] = []): Json => ({
  selectors: [{ type: 'http', path, pathOperator, methods }],
});

/** Endpoint groups with one group. */
export const group = (endpoints: readonly Json[], more: Json = {}): Json => ({
  endpointGroups: [{ name: 'default-group', type: 'http-proxy', endpoints, ...more }],
});

/** An endpoint at a target. */
export const endpoint = (name: string, target: string, more: Json = {}): Json => ({
  name,
  type: 'http-proxy',
  configuration: { target },
  ...more,
});

/** One endpoint, with what its group shares. */
export const shared = (target: string, sharedConfiguration: Json): Json =>
  group([endpoint('one', target)], { sharedConfiguration });

/** Listeners with these paths. */
export const listener = (paths: readonly Json[], more: Json = {}): Json => ({
  listeners: [{ type: 'http', paths, entrypoints: [{ type: 'http-proxy' }], ...more }],
});

/** Plans by id, in their order. */
export const plans = (...all: readonly Json[]): Json => ({
  plans: Object.fromEntries(
    all.map((plan, index) => [
      plan['id'],
      { name: plan['id'], status: 'published', order: index + 1, ...plan },
    ]),
  ),
});

export const keyless = (more: Json = {}): Json => ({ id: 'open', security: { type: 'KEY_LESS' }, ...more });
export const keyed = (configuration: Json = {}, more: Json = {}): Json => ({
  id: 'keyed',
  security: { type: 'API_KEY', configuration },
  ...more,
});

/** A cache in memory, as a resource. */
export const keeping = (configuration: Json = {}, name = 'kept'): Json => ({
  name,
  type: 'cache',
  enabled: true,
  configuration,
});

/** An API whose requests pass a cache, behind other steps. */
export const cached = (configuration: Json = {}, ...others: readonly Json[]): Json => ({
  resources: [keeping()],
  flows: [flow('/', { request: [...others, step('cache', { cacheName: 'kept', ...configuration })] })],
});
