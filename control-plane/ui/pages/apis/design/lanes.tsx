import { AppWindow, Plus, SlidersHorizontal, Split } from 'lucide-react';
import { useQuery } from '@tanstack/react-query';
import { useState, type DragEvent, type KeyboardEvent, type ReactNode } from 'react';
import { Button } from '../../../kit/button.tsx';
import { Empty } from '../../../kit/told.tsx';
import { AddStep } from './add-step.tsx';
import {
  blankFlow,
  faultsAt,
  flowAt,
  flowsOf,
  type Lane,
  lanes,
  moved,
  placeOf,
  type Step,
  type StepPlace,
  stepsOf,
  summaryOf,
  without,
  withFlows,
  wordsOf,
} from './flows.ts';
import { duration } from '../../../kit/numbers.ts';
import { policies } from './questions.ts';
import { type Light, lightKey } from './try/rows.ts';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import { type Designing, faultsOf } from './use-design.ts';

interface Props {
  readonly designing: Designing;
  /** Whose flow it is, in words: `all plans`. */
  readonly on: string;
  /** What stands behind the request and before the response. */
  readonly end: ReactNode;
  readonly shown: Shown;
  /** How steps did in what was tried last, by their places. */
  readonly lights: ReadonlyMap<string, Light>;
  readonly isReadOnly: boolean;
  /** The environment whose shared policy groups may stand in it; undefined where none may. */
  readonly groupsOf?: string;
  readonly onShow: (shown: Shown) => void;
}

/** The way of a request through a flow and back: each lane is a list of steps, with a place for one more between them. */
export function Lanes(props: Props) {
  const { designing, on, end, shown, isReadOnly, groupsOf, onShow } = props;
  const [adding, setAdding] = useState<StepPlace>();
  const flow = flowAt(designing.design, shown);
  if (flow === undefined)
    return (
      <section className={styles['middle']} aria-label="Steps">
        <NoFlow {...props} />
      </section>
    );
  const { methods, path } = wordsOf(flow);
  return (
    <section className={styles['middle']} aria-label="Steps">
      <header>
        <span className={styles['method']} data-method={methods}>
          {methods}
        </span>
        <span className="mono">{path}</span>
        <span className="second">on {on}</span>
        <span className={styles['grow']} />
        <Button
          size="small"
          look="quiet"
          aria-pressed={!('step' in shown)}
          onClick={() => onShow({ owner: shown.owner, flow: shown.flow })}
        >
          <SlidersHorizontal size={14} aria-hidden />
          Flow settings
        </Button>
      </header>
      <div className={styles['turn']}>
        <div className={styles['client']}>
          <AppWindow size={18} aria-hidden />
          Client
        </div>
        {lanes.map((lane) => (
          <LaneOf key={lane} {...props} lane={lane} onAdd={setAdding} />
        ))}
        {end}
      </div>
      {adding !== undefined && !isReadOnly && (
        <AddStep {...{ designing, groupsOf, onShow }} place={adding} onClose={() => setAdding(undefined)} />
      )}
    </section>
  );
}

function NoFlow({ designing, shown, isReadOnly, onShow }: Props) {
  const add = (): void => {
    const flows = flowsOf(designing.design, shown.owner);
    designing.change(withFlows(designing.design, shown.owner, [...flows, blankFlow]));
    onShow({ owner: shown.owner, flow: flows.length });
  };
  return (
    <Empty
      title="No flow here yet"
      action={
        isReadOnly ? undefined : (
          <Button look="primary" onClick={add}>
            <Plus size={16} aria-hidden />
            Add a flow
          </Button>
        )
      }
    >
      A flow says which requests it takes, and which policies they pass on their way to the backend and back.
    </Empty>
  );
}

const laneWords: Readonly<Record<Lane, string>> = { request: 'Request', response: 'Response' };
const dragged = 'application/x-step';

/** One lane with its steps, and places to add one between them. */
export function LaneOf({
  designing,
  shown,
  lights,
  lane,
  isReadOnly,
  onShow,
  onAdd,
}: Omit<Props, 'on' | 'end'> & { readonly lane: Lane; readonly onAdd: (place: StepPlace) => void }) {
  const steps = stepsOf(flowAt(designing.design, shown), lane);
  const place = (step: number): StepPlace => ({ owner: shown.owner, flow: shown.flow, lane, step });
  const move = (from: number, gap: number): void => {
    const next = moved(designing.design, place(from), gap);
    if (next === designing.design) return;
    designing.change(next);
    onShow(place(gap > from ? gap - 1 : gap));
  };
  const drop = (event: DragEvent, gap: number): void => {
    const [from, step] = event.dataTransfer.getData(dragged).split(' ');
    if (from !== lane || step === undefined) return;
    event.preventDefault();
    move(Number(step), gap);
  };
  return (
    <div className={styles['lane']} data-lane={lane}>
      <div className={styles['laneHead']}>
        <h3>{laneWords[lane]}</h3>
        <span className="second num">
          {steps.length} {steps.length === 1 ? 'policy' : 'policies'}
        </span>
      </div>
      <ol aria-label={laneWords[lane]}>
        {!isReadOnly && <Gap at={0} lane={lane} onAdd={() => onAdd(place(0))} onDrop={drop} />}
        {steps.map((step, at) => [
          <StepCard
            key={`step ${at}`}
            {...{ step, designing, isReadOnly }}
            place={place(at)}
            light={lights.get(lightKey(place(at)))}
            isShown={'step' in shown && shown.lane === lane && shown.step === at}
            onShow={() => onShow(place(at))}
            onMove={(by) => move(at, by < 0 ? at - 1 : at + 2)}
            onRemove={() => {
              designing.change(without(designing.design, place(at)));
              onShow({ owner: shown.owner, flow: shown.flow });
            }}
          />,
          !isReadOnly && (
            <Gap key={`gap ${at}`} at={at + 1} lane={lane} onAdd={() => onAdd(place(at + 1))} onDrop={drop} />
          ),
        ])}
      </ol>
    </div>
  );
}

function Gap({
  at,
  lane,
  onAdd,
  onDrop,
}: {
  readonly at: number;
  readonly lane: Lane;
  readonly onAdd: () => void;
  readonly onDrop: (event: DragEvent, gap: number) => void;
}) {
  const [isOver, setOver] = useState(false);
  return (
    <li
      className={styles['gap']}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(dragged)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        onDrop(event, at);
      }}
    >
      <button type="button" aria-label={`Add a policy to the ${lane}, at place ${at + 1}`} onClick={onAdd}>
        <Plus size={10} aria-hidden />
      </button>
    </li>
  );
}

function StepCard({
  step,
  designing,
  place,
  light,
  isShown,
  isReadOnly,
  onShow,
  onMove,
  onRemove,
}: {
  readonly step: Step;
  readonly designing: Designing;
  readonly place: StepPlace;
  readonly light: Light | undefined;
  readonly isShown: boolean;
  readonly isReadOnly: boolean;
  readonly onShow: () => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onRemove: () => void;
}) {
  const { data } = useQuery(policies);
  const policy = data?.find(({ id }) => id === step.policy);
  const faults = faultsAt(faultsOf(designing, place.owner), placeOf(place)).length;
  const press = (event: KeyboardEvent): void => {
    if (isReadOnly) return;
    const by = event.altKey ? ({ ArrowLeft: -1, ArrowRight: 1 } as const)[event.key] : undefined;
    if (by !== undefined) onMove(by);
    else if (event.key === 'Delete') onRemove();
    else return;
    event.preventDefault();
  };
  const title =
    step.name !== undefined && step.name !== '' ? step.name : (policy?.name ?? String(step.policy));
  return (
    <li className={styles['step']}>
      <button
        type="button"
        aria-current={isShown || undefined}
        aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight Delete"
        data-off={step.enabled === false || undefined}
        data-faulty={faults > 0 || undefined}
        data-light={light?.decision}
        draggable={!isReadOnly}
        onDragStart={(event) => {
          event.dataTransfer.setData(dragged, `${place.lane} ${place.step}`);
          event.dataTransfer.effectAllowed = 'move';
        }}
        onKeyDown={press}
        onClick={onShow}
      >
        <span className={styles['stepHead']}>
          {policy !== undefined && <img src={policy.icon} alt="" width="16" height="16" />}
          {step.condition !== undefined && step.condition !== '' && (
            <span className={styles['if']}>
              <Split size={11} aria-hidden />
              if
            </span>
          )}
        </span>
        <span className={styles['stepName']}>{title}</span>
        <span className={styles['stepSays']}>{step.description || summaryOf(step.configuration)}</span>
        <Foot {...{ step, faults, light }} />
      </button>
    </li>
  );
}

/** What is wrong with a step, else how it did in what was tried last. */
function Foot({
  step,
  faults,
  light,
}: {
  readonly step: Step;
  readonly faults: number;
  readonly light: Light | undefined;
}) {
  return (
    <span className={styles['stepFoot']}>
      {faults > 0
        ? `${faults} ${faults === 1 ? 'fault' : 'faults'}`
        : step.enabled === false
          ? 'off'
          : light !== undefined && <Lit light={light} />}
    </span>
  );
}

/** How long it took in what was tried last, or what it came to. */
function Lit({ light: { decision, tookUs, part } }: { readonly light: Light }) {
  const { value, unit } = duration(tookUs / 1_000);
  return (
    <>
      <i className={styles['lit']} style={{ width: `${100 * part}%` }} />
      <span className="num">{decision === 'skipped' ? 'skipped' : `${value} ${unit}`}</span>
      {decision !== 'skipped' && decision !== 'passed' && ` ${decision}`}
    </>
  );
}
