import { ArrowDown, ArrowUp, Trash2 } from 'lucide-react';
import { IconButton } from '../../../kit/button.tsx';
import { ExpressionField } from '../../../kit/expression/expression-field.tsx';
import { ExpressionPhase } from '../../../kit/expression/questions.ts';
import { SelectField, SwitchField, TextField } from '../../../kit/field.tsx';
import {
  conditionOf,
  type Flow,
  flowAt,
  type FlowPlace,
  flowsOf,
  selecting,
  selectorOf,
  withFlow,
  withFlows,
} from './flows.ts';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import type { Designing } from './use-design.ts';

const methods = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'OTHER',
] as const;

interface Props {
  readonly designing: Designing;
  readonly place: FlowPlace;
  readonly isReadOnly: boolean;
  readonly onShow: (shown: Shown) => void;
  /** Below what its path lies. */
  readonly pathHint?: string;
}

/** Which requests a flow takes. */
export function FlowPanel({
  designing,
  place,
  isReadOnly,
  onShow,
  pathHint = 'Below the path of the API, e.g. /orders/:id',
}: Props) {
  const flow = flowAt(designing.design, place);
  if (flow === undefined) return null;
  const set = (next: Flow, subject: string): void =>
    designing.change(withFlow(designing.design, place, next), `flow ${place.flow} ${subject}`);
  const http = selectorOf(flow) ?? { type: 'HTTP' as const };
  return (
    <>
      <header className={styles['sideHead']}>
        <div className={styles['grow']}>
          <h2>Flow settings</h2>
          <span className="quiet">Which requests it takes</span>
        </div>
        {!isReadOnly && <Tools {...{ designing, place, onShow }} />}
      </header>
      <fieldset disabled={isReadOnly} className={styles['form']}>
        <SwitchField
          label="Enabled"
          isOn={flow.enabled !== false}
          onChange={(enabled) => set({ ...flow, enabled }, 'enabled')}
        />
        <TextField
          label="Name"
          isOptional
          value={flow.name ?? ''}
          onChange={({ target: { value } }) => set({ ...flow, name: value }, 'name')}
        />
        <TextField
          label="Path"
          hint={pathHint}
          value={http.path ?? '/'}
          onChange={({ target: { value } }) =>
            set(selecting(flow, { http: { ...http, path: value } }), 'path')
          }
        />
        <SelectField
          label="It takes"
          value={http.pathOperator ?? 'STARTS_WITH'}
          onChange={({ target: { value } }) =>
            set(
              selecting(flow, {
                http: { ...http, pathOperator: value === 'EQUALS' ? 'EQUALS' : 'STARTS_WITH' },
              }),
              'operator',
            )
          }
          options={[
            ['STARTS_WITH', 'this path and all below'],
            ['EQUALS', 'this path alone'],
          ]}
        />
        <Methods {...{ flow, set }} />
        <ConditionField {...{ flow, set }} />
      </fieldset>
    </>
  );
}

/** Which of them it takes; what is wrong with it is told while it is written. */
function ConditionField({
  flow,
  set,
}: {
  readonly flow: Flow;
  readonly set: (flow: Flow, subject: string) => void;
}) {
  const condition = conditionOf(flow);
  return (
    <ExpressionPhase value="REQUEST">
      <ExpressionField
        label="Condition"
        kind="CONDITION"
        isOptional
        hint="The flow runs where it is true"
        value={condition}
        onWrite={(value) => set(selecting(flow, { condition: value }), 'condition')}
      />
    </ExpressionPhase>
  );
}

function Methods({
  flow,
  set,
}: {
  readonly flow: Flow;
  readonly set: (flow: Flow, subject: string) => void;
}) {
  const http = selectorOf(flow) ?? { type: 'HTTP' as const };
  const chosen = http.methods ?? [];
  return (
    <fieldset className={styles['methods']}>
      <legend>
        Methods <span className="quiet">{chosen.length === 0 ? 'any' : ''}</span>
      </legend>
      {methods.map((method) => (
        <label key={method}>
          <input
            type="checkbox"
            checked={chosen.includes(method)}
            onChange={() =>
              set(
                selecting(flow, {
                  http: {
                    ...http,
                    methods: methods.filter((each) => (each === method) !== chosen.includes(each)),
                  },
                }),
                'methods',
              )
            }
          />
          {method}
        </label>
      ))}
    </fieldset>
  );
}

function Tools({ designing, place: { owner, flow }, onShow }: Omit<Props, 'isReadOnly' | 'pathHint'>) {
  const flows = flowsOf(designing.design, owner);
  const swap = (other: number): void => {
    const [a, b] = [flows[flow], flows[other]];
    if (a === undefined || b === undefined) return;
    designing.change(withFlows(designing.design, owner, flows.with(flow, b).with(other, a)));
    onShow({ owner, flow: other });
  };
  return (
    <>
      <IconButton label="Move flow up" disabled={flow === 0} onClick={() => swap(flow - 1)}>
        <ArrowUp size={16} aria-hidden />
      </IconButton>
      <IconButton label="Move flow down" disabled={flow >= flows.length - 1} onClick={() => swap(flow + 1)}>
        <ArrowDown size={16} aria-hidden />
      </IconButton>
      <IconButton
        label="Remove flow"
        onClick={() => {
          designing.change(withFlows(designing.design, owner, flows.toSpliced(flow, 1)));
          onShow({ owner, flow: Math.max(0, flow - 1) });
        }}
      >
        <Trash2 size={16} aria-hidden />
      </IconButton>
    </>
  );
}
