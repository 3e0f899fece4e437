import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, ExternalLink } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useSamples } from '../../api/samples.ts';
import { buttonLook } from '../../kit/button.tsx';
import { Code } from '../../kit/code.tsx';
import { Awaited } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status } from '../../kit/status.tsx';
import { exposedOf, oneApi, pathsOf } from '../apis/questions.ts';
import { Took } from '../traffic/call-columns.tsx';
import { type Seen, SeenCalls, useSeen } from './seen.tsx';
import styles from './first-steps.module.css';

/** Three steps from nothing to an answer, with what gateways see meanwhile beside them, and where they lead on. */
export function FirstSteps({
  env,
  onCreate,
  onSkip,
}: {
  readonly env: string;
  readonly onCreate: () => void;
  readonly onSkip: () => void;
}) {
  const apis = useSamples(env).filter(({ type }) => type === 'API');
  const [first, keyed] = apis;
  const seen = useSeen(env, first?.id);
  const { url, isAwaited } = useUrl(env, first?.id);
  const { url: keyedUrl, isAwaited: isKeyedAwaited } = useUrl(env, keyed?.id);
  // As one: what comes bit by bit moves all that stands below.
  if (isAwaited || isKeyedAwaited || seen.isAwaited)
    return (
      <div className={styles['awaited']}>
        <Awaited lines={22} />
      </div>
    );
  return (
    <section className={styles['first']} aria-label="First steps">
      <div className={styles['steps']}>
        <h2>Three steps to your first answer</h2>
        <p className="second">About two minutes. A gateway is running already.</p>
        <ol>
          <Step number={1} isDone={first !== undefined} title="Put an API in front of a backend">
            <p>
              {first === undefined ? (
                'An API says at which path callers arrive, and which backend answers.'
              ) : (
                <>
                  <Link to="/$env/apis/$api" params={{ env, api: first.id }}>
                    {first.name}
                  </Link>{' '}
                  answers from the built-in backend.
                </>
              )}{' '}
              <button type="button" className="link" onClick={onCreate}>
                {first === undefined ? 'Create API' : 'Use your own'}
              </button>
            </p>
          </Step>
          <Step number={2} isDone={seen.own !== undefined} isNext title="Call it">
            {url === undefined ? (
              <p>Its page says how, once it is deployed.</p>
            ) : (
              <Call env={env} url={url} own={seen.own} />
            )}
          </Step>
          <Step number={3} title="Protect it with a key">
            <Keyed env={env} api={keyed} url={keyedUrl} />
          </Step>
        </ol>
        <p className={styles['ways']}>
          <button type="button" className="link" onClick={onSkip}>
            Skip, I know my way
          </button>
          <Link to="/$env/apis/import" params={{ env }}>
            Import an OpenAPI document or an existing definition
          </Link>
        </p>
      </div>
      <SeenCalls seen={seen} path={url === undefined ? undefined : new URL(url).pathname} />
    </section>
  );
}

/** Where an API is reached from outside, as far as anybody knows. */
function useUrl(
  env: string,
  id: string | undefined,
): { readonly url: string | undefined; readonly isAwaited: boolean } {
  const at = { env, id: id ?? '' };
  const { data, isLoading } = useQuery({ ...oneApi(at), enabled: id !== undefined });
  const { data: urls, isLoading: areUrlsLoading } = useQuery({ ...exposedOf(at), enabled: id !== undefined });
  const isAwaited = isLoading || areUrlsLoading;
  if (id === undefined || data === undefined) return { url: undefined, isAwaited };
  const url = urls?.[0]?.value ?? `http://localhost:8082${pathsOf(data)[0] ?? '/'}`;
  return { url: URL.canParse(url) ? url : undefined, isAwaited };
}

function Step({
  number,
  title,
  isDone = false,
  isNext = false,
  children,
}: {
  readonly number: number;
  readonly title: string;
  readonly isDone?: boolean;
  /** It is what to do now, unless it is done. */
  readonly isNext?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <li data-done={isDone || undefined} data-next={(isNext && !isDone) || undefined}>
      <i aria-hidden>{isDone ? <Check size={14} /> : number}</i>
      <div>
        <h3>
          {title}
          {isDone && <span className="hidden">, done</span>}
        </h3>
        {children}
      </div>
    </li>
  );
}

const ways = [
  ['curl', 'curl'],
  ['powershell', 'PowerShell'],
] as const;

function Call({
  env,
  url,
  own,
}: {
  readonly env: string;
  readonly url: string;
  /** The reader's own call, once there is one. */
  readonly own: Seen['own'];
}) {
  const [way, setWay] = useState<'curl' | 'powershell'>('curl');
  return (
    <>
      <p>Paste this in a terminal, or let the browser send it.</p>
      <div className={styles['call']}>
        <Segments label="Shell" segments={ways} value={way} onChoose={setWay} />
        <Code label="the call" text={`${way === 'curl' ? 'curl' : 'Invoke-RestMethod'} ${url}`} />
      </div>
      <p className={styles['line']}>
        <a className={buttonLook.primary} href={url} target="_blank" rel="noreferrer">
          <ExternalLink size={14} aria-hidden />
          Send it from the browser
        </a>
        {own === undefined ? (
          'It is told of here a moment later.'
        ) : (
          <span role="status">
            Answered in <Took ms={own.gatewayResponseTime} />.{' '}
            <Link
              to="/$env/logs/$api/$request"
              params={{ env, api: own.apiId, request: own.requestId }}
              className="link"
            >
              See where its time went
            </Link>
          </span>
        )}
      </p>
    </>
  );
}

/** What a plan with keys answers. */
const Keyed = ({
  env,
  api,
  url,
}: {
  readonly env: string;
  /** One that asks for a key. */
  readonly api: { readonly id: string; readonly name: string } | undefined;
  readonly url: string | undefined;
}) => (
  <>
    <p>
      A plan that asks for a key, and an application that subscribes to it.{' '}
      {api !== undefined && (
        <Link to="/$env/apis/$api/plans" params={{ env, api: api.id }}>
          See how {api.name} does it
        </Link>
      )}
    </p>
    {url !== undefined && (
      <ul className={styles['keyed']}>
        {(
          [
            ['401', 'no key'],
            ['200', 'with your key'],
          ] as const
        ).map(([status, how]) => (
          <li key={status}>
            <Status tone="idle">{status}</Status>
            <span className="mono">GET {new URL(url).pathname}</span>
            <span>{how}</span>
          </li>
        ))}
      </ul>
    )}
  </>
);
