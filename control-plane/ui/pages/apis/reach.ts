import type { Schemas } from '../../api/management.generated.ts';
import type { Tone } from '../../kit/status.tsx';

type Reached = Schemas['CurrentApiDeployment']['gateways'][number];

/** Those of which an answer can be expected: one that was enrolled and never ran, or may not run any more, holds nothing up. */
export const servingOf = (gateways: readonly Reached[]): readonly Reached[] =>
  gateways.filter(
    ({ deployment, state }) => deployment !== 'notDeployed' && state !== 'never' && state !== 'revoked',
  );

/** How many of the gateways that are to serve an API have what was deployed last. */
export function reachOf(
  deployed: Schemas['CurrentApiDeployment'] | undefined,
): readonly [tone: Tone, word: string] {
  if (deployed === undefined) return ['info', 'Started'];
  const concerned = servingOf(deployed.gateways);
  const having = (state: string): number => concerned.filter(({ deployment }) => deployment === state).length;
  const all = concerned.length;
  const gateways = `of ${all} ${all === 1 ? 'gateway' : 'gateways'}`;
  if (all === 0) return ['warn', 'Deployed, but no gateway is there to serve it'];
  if (having('refused') > 0) return ['bad', `Refused by ${having('refused')} ${gateways}`];
  const applied = having('applied');
  return applied < all
    ? ['info', `On its way: ${applied} ${gateways}`]
    : ['ok', `Deployed: ${all} ${gateways}`];
}
