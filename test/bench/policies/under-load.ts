import {
  definitionOf,
  type ExampleAnswer,
  type ExampleCall,
  type ExampleStep,
  type PolicyExample,
} from '../../../proto/policies/reference/example.ts';
import { folderOf, type ShownPolicy, withBackend } from '../../kit/policy-examples.ts';

const unreached = 1_000_000_000;

/** Configurations that let everybody pass, in place of those of examples that show how somebody is refused. */
const generous: Readonly<Record<string, object>> = {
  'rate-limit': { rate: { limit: unreached } },
  quota: { quota: { limit: unreached } },
  'spike-arrest': { spike: { limit: unreached } },
  'token-bucket-rate-limit': { burstCapacity: unreached, refillRate: unreached },
  'concurrency-limit': { limit: 1_000 },
  'token-ratelimit': { rate: { limit: unreached } },
  'cost-ratelimit': { rate: { limit: unreached } },
};

/** An example as it is measured: what it limits is out of reach, and its backend always says the same, and is well. */
export function underLoad({ request, response, backend = {}, ...example }: PolicyExample): PolicyExample {
  const all = (steps: readonly ExampleStep[]): readonly ExampleStep[] =>
    steps.map((step) => ({ ...step, configuration: { ...step.configuration, ...generous[step.policy] } }));
  const isWell = ({ status = 200 }: ExampleAnswer): boolean => status < 500;
  const steady = Object.entries(backend).flatMap(([path, said]) => {
    const answers: readonly ExampleAnswer[] = Array.isArray(said) ? said : [said as ExampleAnswer];
    const first = answers.find(isWell);
    return first === undefined ? [] : [[path, first] as const];
  });
  return {
    ...example,
    backend: Object.fromEntries(steady),
    ...(request !== undefined && { request: all(request) }),
    ...(response !== undefined && { response: all(response) }),
  };
}

/** What a gateway serves that is measured, by file: each policy's API, and below `plain-` the same one without it. urlOf: its backend, by id. */
export function measuredApis(
  shown: readonly ShownPolicy[],
  urlOf: (id: string) => string,
): Readonly<Record<string, object>> {
  const apis: [name: string, definition: object][] = shown.flatMap(({ policy, example }) => {
    const { request: _request, response: _response, security: _security, ...plain } = example;
    const bare = { id: `plain-${policy.id}`, title: `${policy.title}, without it` };
    return [
      [policy.id, withBackend(definitionOf(policy, example), urlOf(policy.id))],
      [bare.id, withBackend(definitionOf(bare, plain), urlOf(policy.id))],
    ];
  });
  return Object.fromEntries([...apis, ['isthmus', folderOf(shown)]]);
}

/** The call that is sent again and again: the first that reaches the backend, else the first that is answered, else the first. */
export function measuredCall({ calls }: PolicyExample): ExampleCall {
  const isAnswered = ({ answer: { status = 200 } }: ExampleCall): boolean => status < 400;
  const call =
    calls.find((each) => isAnswered(each) && each.received !== 'nothing') ??
    calls.find(isAnswered) ??
    calls[0];
  if (call === undefined) throw new Error('an example without a call');
  return call;
}
