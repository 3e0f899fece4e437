import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSamples } from '../../api/samples.ts';
import { Button } from '../../kit/button.tsx';
import { Code } from '../../kit/code.tsx';
import { exposedOf, oneApi, pathsOf } from '../apis/questions.ts';
import styles from './overview.module.css';

/** Three steps from nothing to an answer, and where they lead on. */
export function FirstSteps({ env, onCreate }: { readonly env: string; readonly onCreate: () => void }) {
  const samples = useSamples(env);
  const first = samples.find(({ type }) => type === 'API');
  const keyed = samples.filter(({ type }) => type === 'API')[1];
  return (
    <section className={styles['steps']} aria-label="First steps">
      <h2>Three steps to your first answer</h2>
      <ol>
        <Step number={1} isDone={first !== undefined} title="Put an API in front of a backend">
          {first === undefined ? (
            <>An API says at which path callers arrive, and which backend answers.</>
          ) : (
            <>
              <Link to="/$env/apis/$api" params={{ env, api: first.id }}>
                {first.name}
              </Link>{' '}
              answers already, from the built-in backend.
            </>
          )}{' '}
          <Button size="small" onClick={onCreate}>
            {first === undefined ? 'Create API' : 'Use your own'}
          </Button>
        </Step>
        <Step number={2} title="Call it">
          {first === undefined ? (
            'Its page says how, once it is deployed.'
          ) : (
            <Call env={env} api={first.id} />
          )}
        </Step>
        <Step number={3} title="Protect it with a key">
          A plan that asks for a key, and an application that subscribes to it.{' '}
          {keyed !== undefined && (
            <Link to="/$env/apis/$api/plans" params={{ env, api: keyed.id }}>
              See how {keyed.name} does it
            </Link>
          )}
        </Step>
      </ol>
      <Link to="/$env/apis/import" params={{ env }}>
        Import an OpenAPI document or an existing definition
      </Link>
    </section>
  );
}

function Step({
  number,
  title,
  isDone = false,
  children,
}: {
  readonly number: number;
  readonly title: string;
  readonly isDone?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <li data-done={isDone || undefined}>
      <i aria-hidden>{isDone ? <Check size={14} /> : number}</i>
      <h3>
        {title}
        {isDone && <span className="hidden">, done</span>}
      </h3>
      <div>{children}</div>
    </li>
  );
}

function Call({ env, api: id }: { readonly env: string; readonly api: string }) {
  const { data } = useQuery(oneApi({ env, id }));
  const { data: urls } = useQuery(exposedOf({ env, id }));
  if (data === undefined) return null;
  const url = urls?.[0]?.value ?? `http://localhost:8082${pathsOf(data)[0] ?? '/'}`;
  return (
    <>
      <Code label="the call" text={`curl ${url}`} />
      <p className="second">
        It stands in{' '}
        <Link to="/$env/logs" params={{ env }}>
          Logs
        </Link>{' '}
        a second later, with each step that it took.
      </p>
    </>
  );
}
