import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useDrawn } from '../draft/drafted.tsx';
import { FlowList } from './flow-list.tsx';
import { FlowPanel } from './flow-panel.tsx';
import { type FlowPlace, flowAt, placeAt, type StepPlace, stepsOf } from './flows.ts';
import { Lanes } from './lanes.tsx';
import { StepPanel } from './step-panel.tsx';
import styles from './studio.module.css';
import { TryStrip } from './try/try-strip.tsx';
import { useTry } from './try/use-try.ts';

const route = getRouteApi('/$env/apis/$api/draft/design');

/** What is looked at: a flow, or one of its steps. */
export type Shown = FlowPlace | StepPlace;

/** The policy studio: what happens to a request on its way to the backend, and to the response on its way back. */
export function ApiDesign() {
  const { designing, loaded, isReadOnly } = useDrawn();
  const { at = '' } = route.useSearch();
  const { env, api: id } = route.useParams();
  const [shown, setShown] = useState<Shown>(() => placeAt(at));
  useEffect(() => {
    if (at !== '') setShown(placeAt(at));
  }, [at]);
  const { design } = designing;
  const trying = useTry({ env, id }, design);
  const flow = flowAt(design, shown);
  // An undone step may be the one that was looked at.
  const isStep = 'step' in shown && stepsOf(flow, shown.lane)[shown.step] !== undefined;
  return (
    <div className={styles['studio']}>
      <div className={styles['panes']}>
        <FlowList {...{ designing, shown, isReadOnly }} plans={loaded.plans} onShow={setShown} />
        <Lanes {...{ designing, shown, isReadOnly, loaded }} lights={trying.lights} onShow={setShown} />
        {flow !== undefined && (
          <aside className={styles['side']} aria-label="Settings">
            {isStep ? (
              <StepPanel
                key={`${JSON.stringify(shown)}`}
                {...{ designing, isReadOnly }}
                place={shown}
                onShow={setShown}
              />
            ) : (
              <FlowPanel {...{ designing, isReadOnly }} place={shown} onShow={setShown} />
            )}
          </aside>
        )}
        {!isReadOnly && <TryStrip {...{ trying, designing, loaded }} onShow={setShown} />}
      </div>
    </div>
  );
}
