import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client.ts';
import { useTasks } from '../../api/tasks.ts';
import { Awaited, Panel } from '../../kit/page.tsx';
import { Status, Tag, type Tone } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { deploymentOf } from '../apis/questions.ts';
import { type Group, type Standing, toneOf } from '../topology/standing.ts';
import styles from './overview.module.css';

/** Something that somebody should look at: what is the matter, and what it does. */
interface Matter {
  readonly key: string;
  readonly tone: Tone;
  readonly what: ReactNode;
  readonly so: string;
  /** Since when. */
  readonly at?: string | undefined;
}

interface DeployedApi {
  readonly id: string;
  readonly name: string;
  readonly at: number;
}

/** What is not as it should be, the worst first, each with the way to it. */
export function Attention({
  env,
  isAwaited,
  error,
  groups,
  standing,
  deployed,
}: {
  readonly env: string;
  /** Something of what is looked at here has not been answered. */
  readonly isAwaited: boolean;
  /** And why, when it failed. */
  readonly error: Error | null;
  readonly groups: readonly Group[] | undefined;
  readonly standing: Standing;
  /** APIs that were deployed lately. */
  readonly deployed: readonly DeployedApi[];
}) {
  const tasks = useTasks(env, { page: 1, size: 1 });
  const reached = useQueries({ queries: deployed.map(({ id }) => deploymentOf({ env, id })) });
  const problem = error ?? tasks.error ?? reached.find((answer) => answer.error !== null)?.error ?? null;
  const isOpen = isAwaited || tasks.rows === undefined || reached.some(({ data }) => data === undefined);
  const matters = [
    ...deployed.flatMap((of, at) => refusedOf(env, of, reached[at]?.data?.gateways ?? [])),
    ...silentIn(env, groups, standing),
    ...waitingIn(env, tasks),
  ];
  return (
    <Panel title="Needs attention" end={matters.length > 0 && <Tag>{matters.length}</Tag>} isBare>
      {problem !== null && (
        <div className="inset">
          <ProblemBox error={problem} />
        </div>
      )}
      {matters.length === 0 && isOpen ? (
        problem === null && (
          <div className="inset">
            <Awaited lines={4} />
          </div>
        )
      ) : matters.length === 0 ? (
        <p className="second inset">Nothing: gateways serve what was deployed, and nobody waits for you.</p>
      ) : (
        <ul className={styles['matters']}>
          {matters.map(({ key, tone, what, so, at }) => (
            <li key={key}>
              <Status tone={tone}>{what}</Status>
              {at !== undefined && <Time at={at} />}
              <p>{so}</p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** An API that gateways refused. */
function refusedOf(
  env: string,
  { id, name, at }: DeployedApi,
  reached: Schemas['CurrentApiDeployment']['gateways'],
): readonly Matter[] {
  const gateways = reached.filter(({ deployment }) => deployment === 'refused');
  const [first] = gateways;
  if (first === undefined) return [];
  return [
    {
      key: `refused ${id}`,
      tone: 'bad',
      what: (
        <Link to="/$env/apis/$api" params={{ env, api: id }}>
          {name} was refused
        </Link>
      ),
      so: `By ${gateways.length === 1 ? first.hostname : `${gateways.length} gateways`}: ${first.nack?.reason ?? 'no reason was told'}`,
      at: new Date(at).toISOString(),
    },
  ];
}

/** What waits for the reader. */
function waitingIn(
  env: string,
  { rows, total = 0, names }: Pick<ReturnType<typeof useTasks>, 'rows' | 'total' | 'names'>,
): readonly Matter[] {
  const nameOf = (id: string | undefined): string => (id === undefined ? '' : (names[id]?.name ?? ''));
  const [oldest] = rows ?? [];
  if (oldest === undefined) return [];
  return [
    {
      key: 'tasks',
      tone: 'warn',
      what: (
        <Link to="/$env/tasks" params={{ env }}>
          {total === 1 ? '1 task waits' : `${total} tasks wait`} for you
        </Link>
      ),
      so: ['Oldest:', nameOf(oldest.data.application), 'on', nameOf(oldest.data.api)].join(' ').trim(),
      at: new Date(oldest.created_at).toISOString(),
    },
  ];
}

/** Fleets of which gateways say nothing, or lag behind. */
function silentIn(env: string, groups: readonly Group[] | undefined, standing: Standing): readonly Matter[] {
  return (groups ?? []).flatMap(({ fleet, gateways = [] }) => {
    const having = (tone: Tone) => gateways.filter((gateway) => toneOf(gateway, standing) === tone);
    const [silent, behind] = [having('bad'), having('warn')];
    const to = (words: string): ReactNode => (
      <Link to="/$env/topology" params={{ env }}>
        {words}
      </Link>
    );
    const matters: Matter[] = [];
    if (silent.length > 0)
      matters.push({
        key: `silent ${fleet.id}`,
        tone: 'bad',
        what: to(
          silent.length === gateways.length
            ? `${fleet.name} is cut off`
            : `${silent.length} of ${fleet.name} are silent`,
        ),
        so: 'They answer traffic from what they have; records wait in their spools.',
        at: silent.map(({ lastSeenAt = '' }) => lastSeenAt).toSorted((a, b) => a.localeCompare(b))[0],
      });
    if (behind.length > 0)
      matters.push({
        key: `behind ${fleet.id}`,
        tone: 'warn',
        what: to(`${behind.length} of ${fleet.name} ${behind.length === 1 ? 'is' : 'are'} behind`),
        so: 'Not all of what was deployed is served there yet.',
      });
    return matters;
  });
}
