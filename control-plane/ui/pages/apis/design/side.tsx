import { FlowPanel } from './flow-panel.tsx';
import { flowAt, stepsOf } from './flows.ts';
import { StepPanel } from './step-panel.tsx';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import type { Designing } from './use-design.ts';

/** The settings of what is looked at: of a step, or of the flow; nothing where there is no flow. */
export function Side({
  shown,
  ...panel
}: {
  readonly designing: Designing;
  readonly shown: Shown;
  readonly isReadOnly: boolean;
  readonly onShow: (shown: Shown) => void;
  /** Below what the path of a flow lies. */
  readonly pathHint?: string;
}) {
  const flow = flowAt(panel.designing.design, shown);
  if (flow === undefined) return null;
  // An undone step may be the one that was looked at.
  const isStep = 'step' in shown && stepsOf(flow, shown.lane)[shown.step] !== undefined;
  return (
    <aside className={styles['side']} aria-label="Settings">
      {isStep ? (
        <StepPanel key={JSON.stringify(shown)} {...panel} place={shown} />
      ) : (
        <FlowPanel {...panel} place={shown} />
      )}
    </aside>
  );
}
