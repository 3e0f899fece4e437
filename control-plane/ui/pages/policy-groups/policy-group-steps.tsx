import type { UseMutationResult } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { Button } from '../../kit/button.tsx';
import { TextField } from '../../kit/field.tsx';
import { SaveBar } from '../../kit/page.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { type Flow, flowsOf, type Lane, type Step, stepsOf, type StepPlace } from '../apis/design/flows.ts';
import { AddStep } from '../apis/design/add-step.tsx';
import { LaneOf } from '../apis/design/lanes.tsx';
import { StepPanel } from '../apis/design/step-panel.tsx';
import styles from '../apis/design/studio.module.css';
import type { Shown } from '../apis/design/studio.tsx';
import type { Designing } from '../apis/design/use-design.ts';
import { type PolicyGroup, savePolicyGroup, type TaggedGroup } from './questions.ts';

type Written = Pick<PolicyGroup, 'name' | 'description' | 'prerequisiteMessage' | 'steps'>;

const place = { owner: 'api', flow: 0 } as const;
/** A group alone takes no request, so that none of its steps is tried. */
const untried: ReadonlyMap<string, never> = new Map<string, never>();

/** The steps of a group in the one lane of its phase, with their settings beside them. */
export function GroupSteps({
  env,
  tagged,
  isReadOnly,
  onWriting,
}: {
  readonly env: string;
  readonly tagged: TaggedGroup;
  readonly isReadOnly: boolean;
  readonly onWriting: (isWriting: boolean) => void;
}) {
  const [written, setWritten] = useState<Partial<Written>>({});
  const [shown, setShown] = useState<Shown>(place);
  const [adding, setAdding] = useState<StepPlace>();
  const isWriting = Object.keys(written).length > 0;
  useEffect(() => {
    onWriting(isWriting);
    return () => onWriting(false);
  }, [isWriting, onWriting]);
  const group = { ...tagged.data, ...written };
  const saving = useChange({
    change: () => savePolicyGroup(env, { data: group, tag: tagged.tag }),
    touches: [['policy-groups', env]],
    onDone: () => setWritten({}),
  });
  const lane: Lane = group.phase === 'REQUEST' ? 'request' : 'response';
  const set = (part: Partial<Written>): void => {
    saving.reset();
    setWritten((before) => ({ ...before, ...part }));
  };
  const designing = designOf({
    steps: group.steps ?? [],
    lane,
    error: saving.error,
    onSteps: (steps) => set({ steps: [...steps] }),
  });
  return (
    <div className={styles['studio']}>
      <div className={styles['panes']} data-list="none">
        <section className={styles['middle']} aria-label="Steps">
          <h2 className="hidden">Steps</h2>
          <LaneOf
            {...{ designing, shown, lane, isReadOnly }}
            lights={untried}
            onShow={setShown}
            onAdd={setAdding}
          />
          <Unsaved
            {...{ isWriting, saving }}
            isReady={group.name.trim() !== ''}
            onDiscard={() => setWritten({})}
          />
        </section>
        <Side
          {...{ designing, shown, group, isReadOnly }}
          error={saving.error}
          onShow={setShown}
          onChange={set}
        />
      </div>
      {adding !== undefined && !isReadOnly && (
        <AddStep {...{ designing }} place={adding} onShow={setShown} onClose={() => setAdding(undefined)} />
      )}
    </div>
  );
}

/** The settings of the step that is shown; of the group, when none is. */
function Side({
  designing,
  shown,
  group,
  isReadOnly,
  error,
  onShow,
  onChange,
}: {
  readonly designing: Designing;
  readonly shown: Shown;
  readonly group: PolicyGroup;
  readonly isReadOnly: boolean;
  readonly error: Error | null;
  readonly onShow: (shown: Shown) => void;
  readonly onChange: (part: Partial<Written>) => void;
}) {
  const isStep = 'step' in shown && (group.steps ?? [])[shown.step] !== undefined;
  return (
    <aside className={styles['side']} aria-label="Settings">
      {isStep ? (
        <StepPanel key={JSON.stringify(shown)} {...{ designing, isReadOnly, onShow }} place={shown} />
      ) : (
        <About {...{ group, isReadOnly, error, onChange }} />
      )}
    </aside>
  );
}

function Unsaved({
  isWriting,
  isReady,
  saving,
  onDiscard,
}: {
  readonly isWriting: boolean;
  readonly isReady: boolean;
  readonly saving: Pick<UseMutationResult<unknown, Error, void>, 'mutate' | 'isPending' | 'error'> & {
    readonly change: () => Promise<unknown>;
  };
  readonly onDiscard: () => void;
}) {
  return (
    <>
      {saving.error !== null && <ProblemBox error={saving.error} />}
      {isWriting && (
        <SaveBar change={saving.change}>
          <Button onClick={onDiscard}>Discard</Button>
          <Button look="primary" disabled={saving.isPending || !isReady} onClick={() => saving.mutate()}>
            Save policy group
          </Button>
        </SaveBar>
      )}
    </>
  );
}

/** What the studio's lane and panels write to: the steps, as those of a flow that takes every request. */
function designOf({
  steps,
  lane,
  error,
  onSteps,
}: {
  readonly steps: readonly Step[];
  readonly lane: Lane;
  readonly error: Error | null;
  readonly onSteps: (steps: readonly Step[]) => void;
}): Designing {
  const flow: Flow = { [lane]: [...steps] };
  const details = error === null ? [] : Problem.of(error).details;
  return {
    design: { api: { flows: [flow] }, plans: {} },
    saving: { kind: 'kept' },
    savedAt: undefined,
    faults: {
      api: details.map(({ location, message }) => ({
        message,
        location: location.replace(/^steps\[/, `flows[0].${lane}[`),
      })),
    },
    change: (design) => onSteps(stepsOf(flowsOf(design, 'api')[0], lane)),
    undo: undefined,
    redo: undefined,
    retry: () => undefined,
  };
}

function About({
  group,
  isReadOnly,
  error,
  onChange,
}: {
  readonly group: PolicyGroup;
  readonly isReadOnly: boolean;
  readonly error: Error | null;
  readonly onChange: (part: Partial<Written>) => void;
}) {
  return (
    <>
      <header className={styles['sideHead']}>
        <div className={styles['grow']}>
          <h2>About the group</h2>
          <span className="quiet">What those who use it see</span>
        </div>
      </header>
      <fieldset disabled={isReadOnly} className={styles['form']}>
        <TextField
          label="Name"
          value={group.name}
          maxLength={512}
          error={group.name.trim() === '' ? 'must not be empty' : Problem.at(error, 'name')}
          onChange={({ target: { value } }) => onChange({ name: value })}
        />
        <TextField
          label="Description"
          isOptional
          value={group.description ?? ''}
          maxLength={1_024}
          onChange={({ target: { value } }) => onChange({ description: value })}
        />
        <TextField
          label="Prerequisites"
          isOptional
          hint="What an API needs before it uses the group, e.g. a resource of some name"
          value={group.prerequisiteMessage ?? ''}
          maxLength={1_024}
          onChange={({ target: { value } }) => onChange({ prerequisiteMessage: value })}
        />
      </fieldset>
    </>
  );
}
