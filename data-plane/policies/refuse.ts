import type { PolicyError } from '../../proto/policies/policy-schema.ts';
import type { RefusalParameters, Rejection } from './policy.ts';

/** Makes a refusal by its key; status, text and parent key come from the schema. What never changes is made once, at load. */
export type Refuse<Key extends string> = (key: Key, words?: RefusalWords) => Rejection;

/** What only the moment, or the configuration, knows of a refusal. */
export interface RefusalWords {
  /** Fill `{name}` in the text, and are there for response templates. */
  readonly parameters?: RefusalParameters;
  /** Go out whatever a template says, e.g. WWW-Authenticate. */
  readonly headers?: Rejection['headers'];
  readonly content?: Rejection['content'];
  /** In place of the schema's, where the configuration says one. */
  readonly status?: number;
}

/** Makes the refusals of one schema, as they are in a phase. */
export function createRefuse<Key extends string>(
  errors: Readonly<Record<Key, PolicyError>>,
  phase: 'request' | 'response' = 'request',
): Refuse<Key> {
  return (key, { parameters = {}, headers = [], content, status } = {}) => {
    const error = errors[key];
    return {
      kind: 'reject',
      key,
      status: status ?? (phase === 'response' ? error.answerStatus : undefined) ?? error.status,
      message: fill(error.message, parameters),
      parent: error.parent,
      parameters,
      headers,
      ...(content === undefined ? {} : { content }),
    };
  };
}

function fill(text: string, parameters: RefusalParameters): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(parameters, name) ? String(parameters[name]) : whole,
  );
}
