import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client.ts';
import type { LiveState } from '../../api/live.ts';
import { now } from '../../kit/now.ts';
import { ago } from '../../kit/numbers.ts';
import type { Square, SquareTone } from '../../kit/squares.tsx';
import type { Tone } from '../../kit/status.tsx';
import { allGateways, fleets } from '../fleets.ts';
import { oneEnvironment } from '../organization/environments/questions.ts';

/** What is known of the gateways of an environment, and how each of them fares. */

export type Gateway = Schemas['Gateway'];
export type Fleet = Schemas['Fleet'];

/** The id of an environment stays, whatever it is called meanwhile. */
const environmentStaleMs = 60_000;

/** A fleet with its gateways; undefined until they are known. */
export interface Group {
  readonly fleet: Fleet;
  readonly gateways: readonly Gateway[] | undefined;
}

/** Where an environment stands: its id, which gateways name it by, and the newest change that any of them has. */
export interface Standing {
  readonly environment: string | undefined;
  readonly seq: number;
}

/** Fleets of an environment with their gateways; undefined until they are known, and where they are not asked for. */
export function useGroups(env: string, live: LiveState, isAsked = true) {
  const { data, error } = useQuery({ ...fleets, enabled: isAsked });
  const { data: one, error: unknown } = useQuery({ ...oneEnvironment(env), staleTime: environmentStaleMs });
  const mine = (data?.data ?? []).filter(
    ({ environments: served }) => one !== undefined && served.includes(one.id),
  );
  const { data: all, error: unheard } = useQuery({ ...allGateways(live), enabled: isAsked });
  const groups = mine.map((fleet): Group => ({
    fleet,
    gateways: all?.filter((each) => each.fleet === fleet.id),
  }));
  return {
    groups: data === undefined || one === undefined ? undefined : groups,
    /** What they are, or of one of them which gateways it has. */
    isAwaited: isAsked && (data === undefined || one === undefined || all === undefined),
    error: isAsked ? (error ?? unknown ?? unheard) : null,
    environment: one?.id,
  };
}

export const membersOf = (groups: readonly Group[] | undefined): readonly Gateway[] =>
  (groups ?? []).flatMap(({ gateways = [] }) => gateways);

/** What gateways of fleets are measured by. */
export const standingOf = (
  groups: readonly Group[] | undefined,
  environment: string | undefined,
): Standing => ({
  environment,
  seq: Math.max(0, ...membersOf(groups).map((gateway) => seqOf(gateway, environment) ?? 0)),
});

export const seqOf = ({ applied }: Gateway, environment: string | undefined): number | undefined =>
  applied.find(({ environment: each }) => each === environment)?.seq;

/** How a gateway fares: silent, behind the newest change, or all right. */
export function toneOf(gateway: Gateway, { environment, seq }: Standing): Tone {
  if (gateway.state === 'revoked' || gateway.state === 'never') return 'idle';
  if (gateway.state === 'silent') return 'bad';
  return (seqOf(gateway, environment) ?? 0) < seq ? 'warn' : 'ok';
}

/** The worst of some, as far as anything is wrong. */
export const worstOf = (gateways: readonly Gateway[], standing: Standing): 'bad' | 'warn' | undefined =>
  (['bad', 'warn'] as const).find((tone) => gateways.some((gateway) => toneOf(gateway, standing) === tone));

export function wordOf(gateway: Gateway, standing: Standing): string {
  if (gateway.state === 'revoked') return 'Revoked';
  if (gateway.state === 'never') return 'Never seen';
  if (gateway.state === 'silent')
    return gateway.lastSeenAt === undefined
      ? 'Silent'
      : `Silent, seen ${ago(Date.parse(gateway.lastSeenAt), now())}`;
  const lag = standing.seq - (seqOf(gateway, standing.environment) ?? 0);
  return lag > 0 ? `${lag} ${lag === 1 ? 'change' : 'changes'} behind` : 'Up to date';
}

const squareTones: Readonly<Record<Tone, SquareTone>> = {
  ok: 'ok',
  warn: 'go',
  bad: 'cut',
  info: 'go',
  idle: 'idle',
};

/** One of many gateways. */
export const squareOf = (gateway: Gateway, standing: Standing): Square => ({
  id: gateway.id,
  tone: squareTones[toneOf(gateway, standing)],
  words: `${gateway.hostname}: ${wordOf(gateway, standing)}`,
});
