import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, ArrowRight, BookOpen, Trash2 } from 'lucide-react';
import { IconButton } from '../../../kit/button.tsx';
import { ExpressionField } from '../../../kit/expression/expression-field.tsx';
import { ExpressionPhase } from '../../../kit/expression/questions.ts';
import { SwitchField, TextField } from '../../../kit/field.tsx';
import { Markdown } from '../../../kit/markdown.tsx';
import { SchemaForm } from '../../../kit/schema-form/schema-form.tsx';
import { isObject, type JsonSchema } from '../../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../../kit/told.tsx';
import {
  faultsAt,
  flowAt,
  moved,
  placeOf,
  replaced,
  type Step,
  type StepPlace,
  stepsOf,
  without,
} from './flows.ts';
import { policies, policyDocs, policyForm } from './questions.ts';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import { type Designing, faultsOf } from './use-design.ts';

interface Props {
  readonly designing: Designing;
  readonly place: StepPlace;
  readonly isReadOnly: boolean;
  readonly onShow: (shown: Shown) => void;
}

/** The settings of a step, by the schema of its policy. */
export function StepPanel({ designing, place, isReadOnly, onShow }: Props) {
  const { data } = useQuery(policies);
  const steps = stepsOf(flowAt(designing.design, place), place.lane);
  const step = steps[place.step];
  if (step === undefined) return null;
  const policy = data?.find(({ id }) => id === step.policy);
  const set = (part: Partial<Step>, subject: string): void =>
    designing.change(
      replaced(designing.design, place, definedOf({ ...step, ...part })),
      `${placeOf(place)} ${subject}`,
    );
  return (
    <>
      <header className={styles['sideHead']}>
        {policy !== undefined && <img src={policy.icon} alt="" width="20" height="20" />}
        <div className={styles['grow']}>
          <h2>{policy?.name ?? step.policy}</h2>
          <span className="quiet">
            Step {place.step + 1} of the {place.lane}
          </span>
        </div>
        {!isReadOnly && <Tools {...{ designing, place, onShow }} last={steps.length - 1} />}
      </header>
      <ExpressionPhase value={place.lane === 'request' ? 'REQUEST' : 'RESPONSE'}>
        <div className={styles['form']}>
          <fieldset disabled={isReadOnly} className={styles['common']}>
            <SwitchField
              label="Enabled"
              isOn={step.enabled !== false}
              onChange={(enabled) => set({ enabled }, 'enabled')}
            />
            <TextField
              label="Name"
              isOptional
              value={step.name ?? ''}
              placeholder={policy?.name}
              onChange={({ target: { value } }) => set({ name: value }, 'name')}
            />
            <ConditionField {...{ designing, place, step }} onChange={set} />
          </fieldset>
          <Configuration {...{ designing, place, isReadOnly, step }} onChange={set} />
        </div>
      </ExpressionPhase>
      <Docs policy={step.policy ?? ''} name={policy?.name} />
    </>
  );
}

/** When the step runs; what is wrong with it is told before anybody deploys it. */
function ConditionField({
  designing,
  place,
  step: { condition = '' },
  onChange,
}: Pick<Props, 'designing' | 'place'> & {
  readonly step: Step;
  readonly onChange: (part: Partial<Step>, subject: string) => void;
}) {
  const [told] = faultsAt(faultsOf(designing, place.owner), `${placeOf(place)}.condition`);
  return (
    <ExpressionField
      label="Condition"
      kind="CONDITION"
      isOptional
      hint="The step runs where it is true, e.g. {#request.headers['x-debug'] != null}"
      error={told?.message}
      value={condition}
      onWrite={(value) => onChange({ condition: value }, 'condition')}
    />
  );
}

/** Texts that are empty are none. */
const definedOf = ({ name, condition, ...step }: Step): Step => ({
  ...step,
  ...(name !== undefined && name !== '' && { name }),
  ...(condition !== undefined && condition !== '' && { condition }),
});

function Tools({ designing, place, last, onShow }: Omit<Props, 'isReadOnly'> & { readonly last: number }) {
  const move = (gap: number, to: number): void => {
    designing.change(moved(designing.design, place, gap));
    onShow({ ...place, step: to });
  };
  return (
    <>
      <IconButton
        label="Move earlier"
        disabled={place.step === 0}
        onClick={() => move(place.step - 1, place.step - 1)}
      >
        <ArrowLeft size={16} aria-hidden />
      </IconButton>
      <IconButton
        label="Move later"
        disabled={place.step >= last}
        onClick={() => move(place.step + 2, place.step + 1)}
      >
        <ArrowRight size={16} aria-hidden />
      </IconButton>
      <IconButton
        label="Remove step"
        onClick={() => {
          designing.change(without(designing.design, place));
          onShow({ owner: place.owner, flow: place.flow });
        }}
      >
        <Trash2 size={16} aria-hidden />
      </IconButton>
    </>
  );
}

function Configuration({
  designing,
  place,
  isReadOnly,
  step,
  onChange,
}: Omit<Props, 'onShow'> & {
  readonly step: Step;
  readonly onChange: (part: Partial<Step>, subject: string) => void;
}) {
  const { data, error } = useQuery(policyForm(step.policy ?? ''));
  const faults = faultsAt(faultsOf(designing, place.owner), `${placeOf(place)}.configuration`);
  // A policy that this version does not have is set as what it is: an object.
  const schema = data ?? (error === null ? undefined : { type: 'object', properties: {} });
  return (
    <>
      {error !== null && <ProblemBox error={error} />}
      {schema !== undefined && (
        <SchemaForm
          schema={schema as JsonSchema}
          value={isObject(step.configuration) ? step.configuration : {}}
          faults={faults}
          isReadOnly={isReadOnly}
          onChange={(configuration) => onChange({ configuration: { ...configuration } }, 'configuration')}
        />
      )}
    </>
  );
}

function Docs({ policy, name }: { readonly policy: string; readonly name: string | undefined }) {
  const { data } = useQuery(policyDocs(policy));
  if (data === undefined) return null;
  return (
    <section className={styles['docs']} aria-label="Documentation">
      <h3>
        <BookOpen size={14} aria-hidden />
        About {name ?? policy}
      </h3>
      <Markdown text={withoutTitle(data.content)} />
    </section>
  );
}

/** Its title stands above it here. */
const withoutTitle = (page: string): string => page.replace(/^# .*\n/, '');
