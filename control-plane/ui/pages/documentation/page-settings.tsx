import { useQuery } from '@tanstack/react-query';
import { Problem } from '../../api/problem.ts';
import { ChecksField } from '../../kit/checks.tsx';
import { SelectField, SwitchField, TextField } from '../../kit/field.tsx';
import styles from './documentation.module.css';
import { type DocPage, type DocEdit, groupsOf, type ShelfAt } from './questions.ts';
import { SourceFields } from './source-fields.tsx';

/** What a page is called, who reads it, and where it comes from. */
export function PageSettings({
  at,
  shown,
  isReadOnly,
  error,
  onChange,
}: {
  readonly at: ShelfAt;
  readonly shown: DocPage;
  readonly isReadOnly: boolean;
  readonly error: Error | null;
  readonly onChange: (part: DocEdit) => void;
}) {
  const isFolder = shown.type === 'FOLDER';
  const faults = error === null ? [] : Problem.of(error).details;
  return (
    <div className={styles['writing']}>
      <fieldset disabled={isReadOnly} className={styles['writing']}>
        <TextField
          label="Name"
          value={shown.name}
          maxLength={512}
          error={shown.name.trim() === '' ? 'must not be empty' : Problem.at(error, 'name')}
          onChange={({ target: { value } }) => onChange({ name: value })}
        />
        <SelectField
          label="Seen by"
          value={shown.visibility}
          options={[
            ['PRIVATE', 'Whoever is signed in'],
            ['PUBLIC', 'Everybody'],
          ]}
          onChoose={(visibility) => onChange({ visibility })}
        />
        {!isFolder && (
          <SwitchField
            label="First page"
            hint="Readers begin with it; there is one"
            isOn={shown.homepage}
            onChange={(homepage) => onChange({ homepage })}
          />
        )}
        <Access env={at.env} {...{ shown, onChange }} />
      </fieldset>
      {!isFolder && shown.type !== 'LINK' && (
        <SourceFields
          env={at.env}
          source={shown.source}
          isReadOnly={isReadOnly}
          faults={faults}
          onChange={(source) => onChange({ source })}
        />
      )}
    </div>
  );
}

/** Groups that a page is for, or is kept from; rules for roles stay as they are. */
function Access({
  env,
  shown,
  onChange,
}: {
  readonly env: string;
  readonly shown: DocPage;
  readonly onChange: (part: DocEdit) => void;
}) {
  const { data } = useQuery(groupsOf(env));
  const rules = shown.accessControls ?? [];
  const chosen = rules.flatMap(({ referenceType, referenceId }) =>
    referenceType === 'GROUP' && referenceId !== undefined ? [referenceId] : [],
  );
  return (
    <>
      <SelectField
        label="Groups below"
        value={shown.excludedAccessControls === true ? 'not' : 'only'}
        options={[
          ['only', 'alone read it; without any, all do'],
          ['not', 'do not read it'],
        ]}
        onChoose={(which) => onChange({ excludedAccessControls: which === 'not' })}
      />
      <ChecksField
        label="Groups"
        choices={data?.data.map(({ id, name }) => ({ id, name })) ?? []}
        chosen={chosen}
        onChange={(next) =>
          onChange({
            accessControls: [
              ...rules.filter(({ referenceType }) => referenceType !== 'GROUP'),
              ...next.map((referenceId) => ({ referenceType: 'GROUP' as const, referenceId })),
            ],
          })
        }
      />
    </>
  );
}
