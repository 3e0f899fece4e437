import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../../../api/client.ts';
import { Code } from '../../../../kit/code.tsx';
import { duration } from '../../../../kit/numbers.ts';
import { Segments } from '../../../../kit/segments.tsx';
import { Status, type Tone } from '../../../../kit/status.tsx';
import { ProblemBox } from '../../../../kit/told.tsx';
import { policies } from '../questions.ts';
import type { Shown } from '../studio.tsx';
import { type Bead, beadsOf, type Change, type Run, sharesOf } from './rows.ts';
import styles from './try.module.css';
import type { Trying } from './use-try.ts';

const views = [
  ['steps', 'Step'],
  ['sent', 'To the backend'],
  ['heard', 'From the backend'],
  ['answer', 'Answer'],
] as const;
type View = (typeof views)[number][0];

/** What became of a request that was tried. */
export function TryResult({
  trying: { result, error, isRunning, isStale },
  onShow,
}: {
  readonly trying: Trying;
  readonly onShow: (shown: Shown) => void;
}) {
  return (
    <div className={styles['result']} aria-live="polite" aria-busy={isRunning}>
      {error !== null && <ProblemBox error={error} />}
      {error === null && result === undefined && (
        <p className="second">
          {isRunning
            ? 'A process of its own starts, and runs the request.'
            : 'The request runs through the draft as it is kept; no gateway learns of it. Each step says what it decided, how long it took and what it changed.'}
        </p>
      )}
      {error === null && result?.error !== undefined && (
        <div className={styles['failed']} role="alert">
          <Status tone="bad">No result</Status> {result.error}
        </div>
      )}
      {error === null && result?.run !== undefined && (
        <Ran key={result.id} {...{ isStale, onShow }} run={result.run} />
      )}
    </div>
  );
}

function Ran({
  run,
  isStale,
  onShow,
}: {
  readonly run: Run;
  readonly isStale: boolean;
  readonly onShow: (shown: Shown) => void;
}) {
  const { data } = useQuery(policies);
  const [chosen, setChosen] = useState<string>();
  const [view, setView] = useState<View>('answer');
  const beads = beadsOf(run, new Map(data?.map(({ id, name }) => [id, name])));
  const bead = beads.find(({ key }) => key === chosen);
  const choose = ({ key, place }: Bead): void => {
    setChosen(key);
    setView('steps');
    if (place !== undefined && !isStale) onShow(place);
  };
  return (
    <>
      <Summary {...{ run, isStale }} />
      <ol className={styles['beads']} aria-label="Steps of the run">
        {beads.map((each) => (
          <li key={each.key} data-side={each.side} data-decision={each.decision}>
            <button
              type="button"
              aria-current={each.key === chosen || undefined}
              onClick={() => choose(each)}
            >
              <i />
              <span>{each.name}</span>
              <b className="num">{each.decision === 'skipped' ? 'skipped' : timeOf(each.tookUs)}</b>
              {each.decision !== 'passed' && each.decision !== 'skipped' && <em>{each.decision}</em>}
            </button>
          </li>
        ))}
      </ol>
      {run.notes.length > 0 && (
        <ul className={styles['notes']} aria-label="Notes">
          {run.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <div className={styles['details']}>
        <div className={styles['views']}>
          <Segments label="What is shown" segments={views} value={view} onChoose={setView} />
        </div>
        {view === 'steps' && <StepDetails bead={bead} />}
        {view === 'sent' && <Message of={run.backendRequest} none="Nothing went to a backend." />}
        {view === 'heard' && <Message of={run.backendResponse} none="No backend has answered." />}
        {view === 'answer' && <Message of={run.response} none="There was no answer." />}
      </div>
    </>
  );
}

function Summary({ run, isStale }: { readonly run: Run; readonly isStale: boolean }) {
  const { response, errorKey, totalUs, plan } = run;
  const { backendUs, gatewayUs } = sharesOf(run);
  return (
    <div className={styles['summary']}>
      <Status tone={toneOf(response?.statusCode)} isPill>
        {response?.statusCode ?? 'No answer'}
        {errorKey !== undefined && ` ${errorKey}`}
      </Status>
      <b className="num">{timeOf(totalUs)}</b>
      <span className="second">
        gateway <span className="num">{timeOf(gatewayUs)}</span>
        {backendUs > 0 && (
          <>
            , backend <span className="num">{timeOf(backendUs)}</span>
          </>
        )}
      </span>
      <span className="second">{plan.name === '' ? '' : `as a caller of ${plan.name}`}</span>
      {isStale && <span className={styles['stale']}>The draft has changed since.</span>}
    </div>
  );
}

function toneOf(status: number | undefined): Tone {
  if (status === undefined || status >= 500) return 'bad';
  return status >= 400 ? 'warn' : 'ok';
}

function timeOf(us: number): string {
  const { value, unit } = duration(us / 1_000);
  return `${value} ${unit}`;
}

function StepDetails({ bead }: { readonly bead: Bead | undefined }) {
  if (bead === undefined)
    return <p className="second">Choose a step above: here stands what it decided and changed.</p>;
  const { said, condition, conditionHeld, changes, place } = bead.step;
  return (
    <div className={styles['step']}>
      <h3>
        {bead.name} <span className="quiet">{bead.decision}</span>
      </h3>
      {place !== undefined && <p className="mono quiet">{place}</p>}
      {said !== undefined && <p>{said}</p>}
      {condition !== undefined && (
        <p>
          <code className="mono">{condition}</code> {conditionHeld === true ? 'holds' : 'does not hold'}
        </p>
      )}
      {changes !== undefined && changes.length === 0 && bead.decision === 'passed' && (
        <p className="second">It changed nothing that later steps see.</p>
      )}
      {changes !== undefined && changes.length > 0 && <Changes changes={changes} />}
    </div>
  );
}

const Changes = ({ changes }: { readonly changes: readonly Change[] }) => (
  <table className={styles['changes']} aria-label="What it changed">
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">Before</th>
        <th scope="col">After</th>
      </tr>
    </thead>
    <tbody>
      {changes.map(({ part, name, before, after, bytes }) => (
        <tr key={`${part} ${name ?? ''}`}>
          <th scope="row">
            {part} {name !== undefined && <span className="mono">{name}</span>}
            {bytes !== undefined && <span className="quiet num"> {bytes} B</span>}
          </th>
          <td className="mono">{before ?? '–'}</td>
          <td className="mono">{after ?? '–'}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

interface Said {
  readonly method?: string;
  readonly uri?: string;
  readonly statusCode?: number;
  readonly headers: NonNullable<Schemas['DebugRun']['response']>['headers'];
  readonly body?: string;
}

function Message({ of, none }: { readonly of: Said | undefined; readonly none: string }) {
  if (of === undefined) return <p className="second">{none}</p>;
  const first = of.method === undefined ? `${of.statusCode ?? ''}` : `${of.method} ${of.uri ?? ''}`;
  const lines = of.headers.map(({ name, value }) => `${name}: ${value}`);
  const text = [first, ...lines, ...(of.body === undefined ? [] : ['', of.body])].join('\n');
  return <Code label="message" text={text} />;
}
