import { useQuery } from '@tanstack/react-query';
import { ExpressionField } from '../../kit/expression/expression-field.tsx';
import { ExpressionPhase } from '../../kit/expression/questions.ts';
import { AreaField, SelectField, SwitchField, TextField } from '../../kit/field.tsx';
import { Panel } from '../../kit/page.tsx';
import { SchemaForm } from '../../kit/schema-form/schema-form.tsx';
import type { JsonSchema } from '../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../kit/told.tsx';
import { WordsField } from '../../kit/words-field.tsx';
import { useKnownTags } from '../words.ts';
import { securityWords } from '../subscriptions/words.ts';
import { faultsAt } from './design/flows.ts';
import { policyForm } from './design/questions.ts';
import styles from './inside.module.css';
import type { Plan, PlanWish } from './plan-questions.ts';

type Security = Plan['security']['type'];

const securities: readonly (readonly [Security, string])[] = [
  ['API_KEY', 'API key: callers subscribe and send a key'],
  ['JWT', 'JWT: callers send a token that somebody signed'],
  ['OAUTH2', 'OAuth 2: callers send a token that an authorization server is asked about'],
  ['MTLS', 'Mutual TLS: callers show a certificate'],
  ['KEY_LESS', 'Keyless: everybody may call it'],
];

/** Securities by the policies that enforce them. */
const policies: Readonly<Record<Security, string>> = {
  API_KEY: 'api-key',
  JWT: 'jwt',
  OAUTH2: 'oauth2',
  MTLS: 'mtls',
  KEY_LESS: 'key-less',
};

interface FieldsProps {
  readonly wish: PlanWish;
  readonly isNew?: boolean;
  readonly isReadOnly?: boolean;
  /** What was refused, by its place. */
  readonly details: readonly { readonly location: string; readonly message: string }[];
  readonly onChange: (wish: PlanWish) => void;
}

/** What a plan is and asks of callers. */
export const PlanFields = (props: FieldsProps) => (
  <>
    <About {...props} />
    <Shown {...props} />
    {props.wish.security.type !== 'KEY_LESS' && <Subscribing {...props} />}
    <Choosing {...props} />
  </>
);

const faultOf = (details: FieldsProps['details'], field: string): string | undefined =>
  details.find(({ location }) => location === field)?.message;

function About({ wish, isReadOnly = false, details, onChange }: FieldsProps) {
  return (
    <Panel title="What it is">
      <fieldset disabled={isReadOnly} className={styles['rows']}>
        <TextField
          label="Name"
          value={wish.name}
          error={faultOf(details, 'name')}
          maxLength={512}
          onChange={({ target: { value } }) => onChange({ ...wish, name: value })}
        />
        <AreaField
          label="Description"
          hint="What those who may subscribe read of it"
          isOptional
          isProse
          rows={3}
          value={wish.description}
          error={faultOf(details, 'description')}
          onChange={({ target: { value } }) => onChange({ ...wish, description: value })}
        />
      </fieldset>
    </Panel>
  );
}

function Shown({ wish, isNew = false, isReadOnly = false, details, onChange }: FieldsProps) {
  return (
    <Panel title="What callers show">
      <div className={styles['rows']}>
        <SelectField
          label="Security"
          hint={isNew ? undefined : 'It stays for the life of the plan'}
          disabled={!isNew}
          value={wish.security.type}
          options={securities}
          onChoose={(type) => onChange({ ...wish, security: { type } })}
        />
        <Configuration
          {...{ wish, isReadOnly, details }}
          onChange={(security) => onChange({ ...wish, security })}
        />
      </div>
    </Panel>
  );
}

function Subscribing({ wish, isReadOnly = false, onChange }: FieldsProps) {
  return (
    <Panel title="Who may subscribe">
      <fieldset disabled={isReadOnly} className={styles['rows']}>
        <SwitchField
          label="Somebody decides about each subscription"
          hint="Otherwise it is accepted at once"
          isOn={wish.validation === 'MANUAL'}
          onChange={(isOn) => onChange({ ...wish, validation: isOn ? 'MANUAL' : 'AUTO' })}
        />
        <SwitchField
          label="Whoever subscribes has to say why"
          isOn={wish.commentRequired}
          onChange={(commentRequired) => onChange({ ...wish, commentRequired })}
        />
      </fieldset>
    </Panel>
  );
}

function Choosing({ wish, isReadOnly = false, details, onChange }: FieldsProps) {
  const known = useKnownTags();
  return (
    <Panel title="When it is chosen">
      <div className={styles['rows']}>
        <fieldset disabled={isReadOnly}>
          <ExpressionPhase value="REQUEST">
            <ExpressionField
              label="Selection rule"
              kind="SELECTION_RULE"
              isOptional
              hint="The plan is looked at where it is true, e.g. {#request.headers['x-partner'] != null}"
              value={wish.selectionRule}
              error={faultOf(details, 'selectionRule')}
              onWrite={(selectionRule) => onChange({ ...wish, selectionRule })}
            />
          </ExpressionPhase>
        </fieldset>
        <WordsField
          label="Sharding tags"
          others="Other tags"
          hint="Only gateways with one of these tags let callers in by it; without tags all of the API do."
          known={known}
          words={wish.tags}
          error={faultOf(details, 'tags')}
          isDisabled={isReadOnly ?? false}
          onChange={(tags) => onChange({ ...wish, tags })}
        />
      </div>
    </Panel>
  );
}

/** The settings of its security, by the schema of the policy that enforces it. */
function Configuration({
  wish: { security },
  isReadOnly,
  details,
  onChange,
}: {
  readonly wish: PlanWish;
  readonly isReadOnly: boolean;
  readonly details: Parameters<typeof faultsAt>[0];
  readonly onChange: (security: Plan['security']) => void;
}) {
  const { data, error } = useQuery(policyForm(policies[security.type]));
  if (error !== null) return <ProblemBox error={error} />;
  if (data === undefined || Object.keys((data as JsonSchema).properties ?? {}).length === 0) return null;
  return (
    <fieldset aria-label={`Settings of ${securityWords(security.type)}`}>
      <SchemaForm
        schema={data as JsonSchema}
        value={security.configuration ?? {}}
        faults={faultsAt(details, 'security.configuration')}
        at="security.configuration"
        isReadOnly={isReadOnly}
        onChange={(configuration) => onChange({ ...security, configuration: { ...configuration } })}
      />
    </fieldset>
  );
}
