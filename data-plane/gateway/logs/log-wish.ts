import type { Condition } from '../../../proto/expression/condition.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Step } from '../compile/step.ts';
import { maskingIn } from './masking.ts';
import type { PlanSecurity } from '../../security/security.ts';
import { type ApiDefinition, compileLoggingCondition, isLogged } from '../../../proto/model/api.ts';

/** What an API wants logged, compiled. */
export interface LogWish {
  readonly entrypointRequest: boolean;
  readonly entrypointResponse: boolean;
  readonly endpointRequest: boolean;
  readonly endpointResponse: boolean;
  readonly headers: boolean;
  readonly bodies: boolean;
  readonly condition: Condition;
  /** Steps that mask. */
  readonly masking: readonly Step[];
  /** Headers that carry keys in this API, in lower case. */
  readonly secretHeaders: ReadonlySet<string>;
}

/** Compiles the logging of an API; undefined when it logs nothing. Errors: request.invalid. */
export function compileLogging(
  definition: ApiDefinition,
  plans: readonly { readonly security: Pick<PlanSecurity, 'secretHeaders'> }[],
  steps: readonly Step[],
): LogWish | undefined {
  const { logging } = definition.analytics;
  if (logging === undefined || !isLogged(definition.analytics)) return undefined;
  const condition = compileLoggingCondition(logging.condition);
  if ('kind' in condition)
    throw new Fault('request.invalid', {
      details: [{ path: 'analytics.logging.condition', message: condition.message }],
    });
  if (condition.always === false) return undefined;
  const { mode, phase, content } = logging;
  return {
    entrypointRequest: mode.entrypoint && phase.request,
    entrypointResponse: mode.entrypoint && phase.response,
    endpointRequest: mode.endpoint && phase.request,
    endpointResponse: mode.endpoint && phase.response,
    headers: content.headers,
    bodies: content.payload,
    condition,
    masking: maskingIn(steps),
    secretHeaders: new Set([
      ...plans.flatMap(({ security }) => security.secretHeaders ?? []),
      ...headersOfSecrets(definition),
    ]),
  };
}

/** Those that endpoints and steps set to a secret of the gateway. */
function headersOfSecrets({ plans, endpointGroups, flows }: ApiDefinition): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('name' in value && 'value' in value && /#\s*secrets/.test(String(value.value)))
      names.add(String(value.name).toLowerCase());
    for (const inner of Object.values(value)) walk(inner);
  };
  walk([endpointGroups, flows, plans.map((plan) => plan.flows)]);
  return names;
}
