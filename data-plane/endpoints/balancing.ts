import type { EndpointGroupDefinition } from '../../proto/model/api.ts';

/** What balancing asks of an endpoint. */
export interface Weighted {
  /** Its share of the requests among the others, 1 or more; the weighted kinds look at it. */
  readonly weight: number;
  /** Called only when there is none that is not. */
  readonly secondary: boolean;
}

type BalancerType = EndpointGroupDefinition['loadBalancer']['type'];

/**
 * Makes what chooses an endpoint for each request: primary ones, or the secondary ones when there is no primary.
 *
 * round-robin: each in turn. weighted-round-robin: of every run of as many requests as the weights make together each endpoint gets its
 * weight, spread over the run. random, weighted-random: by chance, each request on its own. Turns are counted per revision and process.
 *
 * random: in [0, 1). Returns undefined when there is no endpoint.
 */
export function createBalancer<Of extends Weighted>(
  type: BalancerType,
  endpoints: readonly Of[],
  random: () => number = Math.random,
): () => Of | undefined {
  const primary = endpoints.filter(({ secondary }) => !secondary);
  const chosen = primary.length > 0 ? primary : endpoints;
  if (chosen.length < 2) return () => chosen[0];
  switch (type) {
    case 'round-robin':
      return inTurn(chosen);
    case 'weighted-round-robin':
      return inTurnByWeight(chosen);
    case 'random':
      return () => chosen[Math.floor(random() * chosen.length)];
    case 'weighted-random':
      return byChanceAndWeight(chosen, random);
  }
}

function inTurn<Of>(endpoints: readonly Of[]): () => Of | undefined {
  let turn = -1;
  return () => {
    turn = turn + 1 >= endpoints.length ? 0 : turn + 1;
    return endpoints[turn];
  };
}

/** Each gains its weight with every request; who has most is called, and pays what all have gained. */
function inTurnByWeight<Of extends Weighted>(endpoints: readonly Of[]): () => Of | undefined {
  const total = sumOf(endpoints);
  const gained = endpoints.map(() => 0);
  return () => {
    let best = 0;
    endpoints.forEach(({ weight }, index) => {
      gained[index] = (gained[index] ?? 0) + weight;
      if ((gained[index] ?? 0) > (gained[best] ?? 0)) best = index;
    });
    gained[best] = (gained[best] ?? 0) - total;
    return endpoints[best];
  };
}

function byChanceAndWeight<Of extends Weighted>(
  endpoints: readonly Of[],
  random: () => number,
): () => Of | undefined {
  const total = sumOf(endpoints);
  return () => {
    let left = random() * total;
    return endpoints.find(({ weight }) => (left -= weight) < 0) ?? endpoints.at(-1);
  };
}

function sumOf(endpoints: readonly Weighted[]): number {
  return endpoints.reduce((sum, { weight }) => sum + weight, 0);
}
