import type { ExpressionScope, ScopeHeaders } from '../../proto/expression/scope.ts';
import type { Template } from '../../proto/expression/template.ts';

/** Headers of a call as they go out; one whose value fails or comes to nothing is left out. */
export function renderedHeaders(
  headers: readonly { readonly name: string; readonly value: Template<string> }[],
  scope: ExpressionScope,
): Record<string, string> {
  return Object.fromEntries(
    headers.flatMap(({ name, value }) => {
      const rendered = value.render(scope);
      return rendered.kind === 'value' ? [[name, rendered.value]] : [];
    }),
  );
}

/** Headers of an answer to a call, as expressions read them. */
export function scopeHeadersOf(headers: Readonly<Record<string, string>>): ScopeHeaders {
  const lines = new Map(Object.entries(headers));
  return {
    get: (name) => lines.get(name),
    getAll: (name) => {
      const value = lines.get(name);
      return value === undefined ? [] : [value];
    },
    forEach: (visit) => lines.forEach((_value, name) => visit(name)),
  };
}
