import type { z } from 'zod';

import type { FaultDetail } from '../faults/fault.ts';
import type { ResourceUse } from '../resources/resource-schema.ts';
import type { PolicyExample } from './reference/example.ts';

/** Where a policy may stand: as the security of a plan, or as a step of a flow in either phase. */
export type PolicyPhase = 'security' | 'request' | 'response';

/** Where a policy may stand, in words. */
export const placeOf = (phases: readonly PolicyPhase[]): string =>
  phases.includes('security') ? 'the security of a plan' : `a step of the ${phases.join(' and ')} phase`;

/** What a policy is for, in the words by which people look for one. */
export type PolicyCategory = 'security' | 'validation' | 'traffic' | 'transformation' | 'ai' | 'others';

/** One way in which a policy refuses: its key is what response templates and records name. */
export interface PolicyError {
  readonly status: number;
  /** The status in the response phase, where it is another. */
  readonly answerStatus?: number;
  /** The default text; `{name}` stands for a parameter of the refusal. */
  readonly message: string;
  /** Whose response templates are used where there are none for this key. */
  readonly parent?: string;
}

/**
 * What everybody but the gateway needs to know of a policy; the gateway adds the code (data-plane/policies).
 *
 * config: strict zod object with the reference's field names and defaults; it is also the form in the console.
 * errors: every way to refuse; status, text and parent key stand here and nowhere else.
 */
export interface PolicySchema<
  Id extends string = string,
  Config extends z.ZodType = z.ZodType,
  Errors extends Readonly<Record<string, PolicyError>> = Readonly<Record<string, PolicyError>>,
> {
  readonly id: Id;
  /** Other ids by which definitions may name it; they stay as they are written. Default: none. */
  readonly aliases?: readonly string[];
  readonly title: string;
  /** What it is for, in one sentence. */
  readonly summary: string;
  readonly category: PolicyCategory;
  readonly phases: readonly PolicyPhase[];
  readonly config: Config;
  readonly errors: Errors;
  /** It answers in place of the backend, which people use to refuse. Default: false. */
  readonly answers?: boolean;
  /** Fields of its configuration that name a resource of the API, and what for. Default: none. */
  readonly uses?: readonly NamedResource[];
  /** What of a configuration cannot be in a phase, which its form does not know. Default: nothing. */
  faultsIn?(config: z.output<Config>, phase: PolicyPhase): readonly FaultDetail[];
  /** Markdown for the reference and the console: purpose, order of effects, what is not obvious. */
  readonly docs: string;
  /** A definition and calls that show it at work; made when somebody reads it, which no gateway does. */
  example?(): PolicyExample;
}

/** A field that names a resource, or a list of them; one that is empty names none. */
export interface NamedResource {
  readonly field: string;
  readonly serves: ResourceUse;
  /** What of the resource's configuration this policy cannot work with. Default: nothing. */
  readonly faultsOf?: (configuration: Readonly<Record<string, unknown>>) => readonly FaultDetail[];
}

/** Keys with which a policy may refuse. */
export type ErrorKey<Schema extends PolicySchema> = keyof Schema['errors'] & string;

/**
 * Declares a policy; keeps the literal types of its id, configuration and error keys. The configuration is made when somebody first asks for
 * it: all of them take 4 MiB, and a gateway needs those of its own APIs.
 */
export function definePolicy<
  const Id extends string,
  Config extends z.ZodType,
  const Errors extends Readonly<Record<string, PolicyError>>,
>(
  declared: Omit<PolicySchema<Id, Config, Errors>, 'config'> & { readonly config: () => Config },
): PolicySchema<Id, Config, Errors> {
  let made: Config | undefined;
  return {
    ...declared,
    get config() {
      return (made ??= declared.config());
    },
  };
}
