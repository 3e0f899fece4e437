import { useQuery } from '@tanstack/react-query';
import { LoaderCircle, Server, Terminal } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { Status } from '../../kit/status.tsx';
import { Mark } from '../../shell/mark.tsx';
import { statusTone, statusWords, Took } from '../traffic/call-columns.tsx';
import { foundCalls } from '../traffic/questions.ts';
import { asOf } from '../traffic/search.ts';
import styles from './first-steps.module.css';

type Call = Schemas['EnvironmentApiLog'];

const askedMs = 2_000;
const shownMax = 4;
const beforeMs = 15 * 60_000;
const aheadMs = 86_400_000;

/** What gateways have answered lately. */
export interface Seen {
  /** Undefined until it is known, and for who may not know. */
  readonly calls: readonly Call[] | undefined;
  /** The newest that came since the page stands, of the API that is to be called. */
  readonly own: Call | undefined;
  readonly isAwaited: boolean;
}

/** Follows what gateways see, where there is something to call. */
export function useSeen(env: string, api: string | undefined): Seen {
  const [sinceMs] = useState(asOf);
  const span = { fromMs: sinceMs - beforeMs, toMs: sinceMs + aheadMs };
  const { data, isLoading: isAwaited } = useQuery({
    ...foundCalls({ env, span, search: {} }),
    enabled: api !== undefined,
    // Whoever may not know, or has no analytics, is not told so again and again.
    refetchInterval: ({ state }) => (state.error === null ? askedMs : false),
  });
  const own = data?.data.find(({ apiId, timestamp }) => apiId === api && Date.parse(timestamp) >= sinceMs);
  return { calls: data?.data.slice(0, shownMax), own, isAwaited };
}

/** The way of a call from the reader to the backend, and the newest calls. */
export function SeenCalls({
  seen: { calls, own },
  path,
}: {
  readonly seen: Seen;
  /** Where the call that is waited for arrives. */
  readonly path: string | undefined;
}) {
  if (calls === undefined) return null;
  return (
    <aside className={styles['seen']} aria-label="What the gateway sees">
      <h2>
        What the gateway sees
        <Status tone="ok">Live</Status>
      </h2>
      <div className={styles['way']} data-called={own !== undefined || undefined} aria-hidden>
        <span>
          <Terminal size={18} />
        </span>
        <i />
        <span data-gate>
          <Mark />
        </span>
        <i data-open />
        <span>
          <Server size={18} />
        </span>
        <b>You</b>
        <b>Gateway</b>
        <b>Backend</b>
      </div>
      <ul className={styles['calls']}>
        {own === undefined && path !== undefined && (
          <li>
            <LoaderCircle size={14} aria-hidden />
            <span>
              Waiting for <span className="mono">GET {path}</span>
            </span>
          </li>
        )}
        {calls.map(({ id, status, method, uri, gatewayResponseTime, errorKey }) => (
          <li key={id}>
            <Status tone={statusTone(status)}>{statusWords(status)}</Status>
            <span className="mono">
              {method} {uri}
              {errorKey !== undefined && <small>{errorKey}</small>}
            </span>
            <Took ms={gatewayResponseTime} />
          </li>
        ))}
      </ul>
      <p>
        <span className="mono">isthmus samples remove</span> takes the samples out again.
      </p>
    </aside>
  );
}
