import { Plus } from 'lucide-react';
import { IconButton } from '../../../kit/button.tsx';
import {
  blankFlow,
  faultsAt,
  type Flow,
  flowsOf,
  isSame,
  keyOf,
  type Owner,
  withFlows,
  wordsOf,
} from './flows.ts';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import { type Designing, faultsOf } from './use-design.ts';

/** The flows of each owner, in the order in which they run. */
export function FlowList({
  designing,
  owners,
  shown,
  isReadOnly,
  onShow,
}: {
  readonly designing: Designing;
  /** Whose flows, each with its name: those of an API and of its plans, or of the organization. */
  readonly owners: readonly (readonly [owner: Owner, name: string])[];
  readonly shown: Shown;
  readonly isReadOnly: boolean;
  readonly onShow: (shown: Shown) => void;
}) {
  return (
    <nav className={styles['flows']} aria-label="Flows">
      {owners.map(([owner, name]) => {
        const flows = flowsOf(designing.design, owner);
        const add = (): void => {
          designing.change(withFlows(designing.design, owner, [...flows, blankFlow]));
          onShow({ owner, flow: flows.length });
        };
        return (
          <section key={keyOf(owner)} aria-label={name}>
            <h2>
              <span>{name}</span>
              {!isReadOnly && (
                <IconButton label={`Add a flow to ${name}`} onClick={add}>
                  <Plus size={14} aria-hidden />
                </IconButton>
              )}
            </h2>
            {flows.length === 0 && <p className="quiet">No flows</p>}
            <ol>
              {flows.map((flow, at) => (
                <FlowItem
                  key={flow.id ?? at}
                  flow={flow}
                  isShown={isSame(shown.owner, owner) && shown.flow === at}
                  faults={faultsAt(faultsOf(designing, owner), `flows[${at}]`).length}
                  onShow={() => onShow({ owner, flow: at })}
                />
              ))}
            </ol>
          </section>
        );
      })}
    </nav>
  );
}

function FlowItem({
  flow,
  isShown,
  faults,
  onShow,
}: {
  readonly flow: Flow;
  readonly isShown: boolean;
  readonly faults: number;
  readonly onShow: () => void;
}) {
  const { methods, path } = wordsOf(flow);
  const steps = (flow.request?.length ?? 0) + (flow.response?.length ?? 0);
  return (
    <li>
      <button
        type="button"
        className={styles['flow']}
        aria-current={isShown || undefined}
        data-off={flow.enabled === false || undefined}
        onClick={onShow}
      >
        <span className={styles['method']} data-method={methods}>
          {methods.split(' ')[0]}
          {methods.includes(' ') && '+'}
        </span>
        <span className={`${styles['path']} mono`}>
          {flow.name !== undefined && flow.name !== '' ? flow.name : path}
        </span>
        {faults > 0 && (
          <span className={styles['bad']} title={`${faults} faults`}>
            <span className="hidden">has faults</span>
          </span>
        )}
        <span className="num quiet">
          {steps}
          <span className="hidden"> steps</span>
        </span>
      </button>
    </li>
  );
}
