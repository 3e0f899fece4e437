import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { useWritten } from '../../api/written.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { AreaField, SelectField, TextField } from '../../kit/field.tsx';
import { Body, Discard, Panel, SaveBar } from '../../kit/page.tsx';
import { Note, ProblemBox } from '../../kit/told.tsx';
import { say } from '../../kit/toast.tsx';
import { listedSubscriptions } from '../subscriptions/side.ts';
import { saveGeneral } from './design/questions.ts';
import styles from './inside.module.css';
import { oneApi, plansOf } from './questions.ts';

const route = getRouteApi('/$env/apis/$api');

type General = Pick<
  Schemas['ApiV4'],
  'name' | 'apiVersion' | 'description' | 'visibility' | 'lifecycleState'
>;

const visibilities = [
  ['PRIVATE', 'Private: members and their groups see it'],
  ['PUBLIC', 'Public: everybody who reaches the portal sees it'],
] as const;

const lives = [
  ['CREATED', 'Not in the portal yet'],
  ['PUBLISHED', 'Published in the portal'],
  ['UNPUBLISHED', 'Taken out of the portal'],
  ['DEPRECATED', 'Deprecated: nobody may subscribe any more'],
  ['ARCHIVED', 'Archived'],
] as const;

/** What an API is called, who sees it, and its end. */
export function ApiGeneral() {
  const { env, api: id } = route.useParams();
  const { data } = useQuery(oneApi({ env, id }));
  const may = useRights({ env, api: id });
  if (data === undefined) return null;
  const isReadOnly = !may('DEFINITION', 'U');
  return (
    <Body>
      <div className={styles['form']}>
        {isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>DEFINITION, update</b> on the API.
          </Note>
        )}
        <Form key={id} env={env} of={data} isReadOnly={isReadOnly} />
        {may('DEFINITION', 'D') && <End env={env} of={data} />}
      </div>
    </Body>
  );
}

function Form({
  env,
  of,
  isReadOnly,
}: {
  readonly env: string;
  readonly of: Schemas['ApiV4'];
  readonly isReadOnly: boolean;
}) {
  const written = useWritten<General, General>(of);
  const shown = { ...of, ...written.fields };
  const saving = useChange({
    change: () => saveGeneral({ env, id: of.id }, written.over, written.fields),
    written,
    touches: [
      ['api', env, of.id],
      ['apis', env],
    ],
  });
  const details = saving.error === null ? [] : Problem.of(saving.error).details;
  const faultOf = (field: string): string | undefined =>
    details.find(({ location }) => location === field)?.message;
  const isEmpty = shown.name.trim() === '' || shown.apiVersion.trim() === '';
  return (
    <form
      className={styles['form']}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isEmpty && !saving.isPending) saving.mutate();
      }}
    >
      <Fields {...{ shown, isReadOnly, faultOf }} onChange={written.write} />
      {saving.error !== null && <ProblemBox error={saving.error} />}
      {written.isWritten && (
        <SaveBar change={saving.change}>
          <Discard {...{ saving, written }} />
          <Button type="submit" look="primary" disabled={isEmpty || saving.isPending}>
            Save
          </Button>
        </SaveBar>
      )}
    </form>
  );
}

interface FieldsProps {
  readonly shown: General;
  readonly isReadOnly: boolean;
  readonly faultOf: (field: string) => string | undefined;
  readonly onChange: (part: Partial<General>) => void;
}

const Fields = (props: FieldsProps) => (
  <>
    <About {...props} />
    <Seen {...props} />
  </>
);

function About({ shown, isReadOnly, faultOf, onChange }: FieldsProps) {
  return (
    <Panel title="What it is">
      <fieldset disabled={isReadOnly} className={styles['rows']}>
        <div className={styles['row']}>
          <TextField
            label="Name"
            value={shown.name}
            error={shown.name.trim() === '' ? 'must not be empty' : faultOf('name')}
            maxLength={512}
            onChange={({ target: { value } }) => onChange({ name: value })}
          />
          <TextField
            label="Version"
            value={shown.apiVersion}
            error={shown.apiVersion.trim() === '' ? 'must not be empty' : faultOf('apiVersion')}
            onChange={({ target: { value } }) => onChange({ apiVersion: value })}
          />
        </div>
        <AreaField
          label="Description"
          hint="What it does, and for whom"
          isOptional
          isProse
          rows={4}
          value={shown.description ?? ''}
          error={faultOf('description')}
          onChange={({ target: { value } }) => onChange({ description: value })}
        />
      </fieldset>
    </Panel>
  );
}

function Seen({ shown, isReadOnly, faultOf, onChange }: FieldsProps) {
  return (
    <Panel title="Who sees it">
      <fieldset disabled={isReadOnly} className={styles['row']}>
        <SelectField
          label="Visibility"
          value={shown.visibility ?? 'PRIVATE'}
          options={visibilities}
          onChoose={(visibility) => onChange({ visibility })}
        />
        <SelectField
          label="In the portal"
          error={faultOf('lifecycleState')}
          value={shown.lifecycleState}
          options={lives}
          onChoose={(lifecycleState) => onChange({ lifecycleState })}
        />
      </fieldset>
    </Panel>
  );
}

/** Deleting it, which nothing brings back. */
function End({ env, of }: { readonly env: string; readonly of: Schemas['ApiV4'] }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <Panel title="Delete">
      <div className={styles['rows']}>
        <p className="second">
          Gateways stop serving it, its plans close and its subscriptions end. Nothing brings it back; what is
          in the logs stays.
        </p>
        <div>
          <Button look="danger" onClick={() => setAsked(true)}>
            Delete API
          </Button>
        </div>
      </div>
      {isAsked && <Delete env={env} of={of} onClose={() => setAsked(false)} />}
    </Panel>
  );
}

function Delete({
  env,
  of: { id, name, state, deployedAt },
  onClose,
}: {
  readonly env: string;
  readonly of: Schemas['ApiV4'];
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const { data: plans } = useQuery(plansOf({ env, id }));
  const { data: open } = useQuery(listedSubscriptions({ env, of: 'api', id }, { shown: 'open', page: 1 }));
  const deleting = useMutation({
    mutationFn: async () => {
      const params = { path: { envId: env, apiId: id } };
      const base = '/management/v2/environments/{envId}/apis/{apiId}';
      if (state === 'STARTED') await answerOf(api.POST(`${base}/_stop`, { params }));
      await answerOf(api.DELETE(base, { params: { ...params, query: { closePlans: 'true' } } }));
    },
    onSuccess: async () => {
      await navigate({ to: '/$env/apis', params: { env } });
      queries.removeQueries({ queryKey: ['api', env, id] });
      await queries.invalidateQueries({ queryKey: ['apis', env] });
      say({ text: `${name} is deleted` });
    },
    // It may be stopped now.
    onError: () => queries.invalidateQueries({ queryKey: ['api', env, id], exact: true }),
  });
  const closing = plans?.data.filter(
    ({ status }) => status === 'PUBLISHED' || status === 'DEPRECATED',
  ).length;
  const figure = (value: number | undefined): string => (value === undefined ? '–' : String(value));
  return (
    <FormDialog
      title={`Delete ${name}?`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete API', mutation: deleting, isDangerous: true, isReady: typed === name }}
    >
      <Effects
        effects={[
          ...(state === 'STARTED' && deployedAt !== undefined
            ? [['all', 'callers get no answer from it any more'] as const]
            : []),
          [figure(closing), 'plans close'],
          [figure(open?.total), 'subscriptions end, with their keys'],
        ]}
      />
      <TextField
        label={`Type its name: ${name}`}
        value={typed}
        autoComplete="off"
        autoFocus
        onChange={({ target: { value } }) => setTyped(value)}
      />
    </FormDialog>
  );
}
