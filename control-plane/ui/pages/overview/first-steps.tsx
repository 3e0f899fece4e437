import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, ExternalLink } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useSamples } from '../../api/samples.ts';
import { buttonLook } from '../../kit/button.tsx';
import { Code } from '../../kit/code.tsx';
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
  const url = useUrl(env, first?.id);
  const keyedUrl = useUrl(env, keyed?.id);
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
            <p>
              A plan that asks for a key, and an application that subscribes to it.{' '}
              {keyed !== undefined && (
                <Link to="/$env/apis/$api/plans" params={{ env, api: keyed.id }}>
                  See how {keyed.name} does it
                </Link>
              )}
            </p>
            {keyedUrl !== undefined && <Keyed path={new URL(keyedUrl).pathname} />}
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
function useUrl(env: string, id: string | undefined): string | undefined {
  const at = { env, id: id ?? '' };
  const { data } = useQuery({ ...oneApi(at), enabled: id !== undefined });
  const { data: urls } = useQuery({ ...exposedOf(at), enabled: id !== undefined });
  if (id === undefined || data === undefined) return undefined;
  const url = urls?.[0]?.value ?? `http://localhost:8082${pathsOf(data)[0] ?? '/'}`;
  return URL.canParse(url) ? url : undefined;
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
const Keyed = ({ path }: { readonly path: string }) => (
  <ul className={styles['keyed']}>
    {(
      [
        ['401', 'no key'],
        ['200', 'with your key'],
      ] as const
    ).map(([status, how]) => (
      <li key={status}>
        <Status tone="idle">{status}</Status>
        <span className="mono">GET {path}</span>
        <span>{how}</span>
      </li>
    ))}
  </ul>
);
