import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { useWritten } from '../../api/written.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { Body, Discard, Panel, SaveBar } from '../../kit/page.tsx';
import { Note, ProblemBox } from '../../kit/told.tsx';
import styles from '../apis/inside.module.css';
import { listedSubscriptions } from '../subscriptions/side.ts';
import { ApplicationFields, faultsOfWish, places, type Wish } from './fields.tsx';
import { type Application, oneApplication, saveApplication, wishOf } from './questions.ts';

const route = getRouteApi('/$env/applications/$application');

/** What an application is called, who it is to those who issue tokens, how it has its keys, and its end. */
export function ApplicationSettings() {
  const { env, application } = route.useParams();
  const { data } = useQuery(oneApplication(env, application));
  const may = useRights({ env, application });
  if (data === undefined) return null;
  const isReadOnly = !may('DEFINITION', 'U') || data.status === 'ARCHIVED';
  return (
    <Body>
      <div className={styles['form']}>
        {isReadOnly && (
          <Note>
            {data.status === 'ARCHIVED' ? (
              'It is archived: nothing of it can be changed.'
            ) : (
              <>
                You can read this. Changing it needs <b>DEFINITION, update</b> on the application.
              </>
            )}
          </Note>
        )}
        <Form key={application} env={env} of={data} isReadOnly={isReadOnly} />
        {may('DEFINITION', 'D') && data.status === 'ACTIVE' && <End env={env} of={data} />}
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
  readonly of: Application;
  readonly isReadOnly: boolean;
}) {
  const written = useWritten<Application, Wish>(of);
  const wish = { ...wishOf(of), ...written.fields };
  const saving = useChange({
    change: () => saveApplication(env, written.over, written.fields),
    written,
    touches: [
      ['application', env, of.id],
      ['applications', env],
    ],
  });
  const seen = faultsOfWish(wish);
  const told = saving.error === null ? undefined : Problem.of(saving.error).at(places);
  return (
    <form
      className={styles['form']}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (Object.keys(seen).length === 0 && !saving.isPending) saving.mutate();
      }}
    >
      <Panel title="What it is">
        <fieldset disabled={isReadOnly} className={styles['rows']}>
          <ApplicationFields
            wish={wish}
            faults={{ ...told?.faults, ...seen }}
            keyModeIs={of.api_key_mode}
            onChange={(part) => {
              saving.reset();
              written.write(part);
            }}
          />
        </fieldset>
      </Panel>
      {saving.error !== null && <ProblemBox error={saving.error} details={told?.others} />}
      {written.isWritten && (
        <SaveBar change={saving.change}>
          <Discard {...{ saving, written }} />
          <Button type="submit" look="primary" disabled={Object.keys(seen).length > 0 || saving.isPending}>
            Save
          </Button>
        </SaveBar>
      )}
    </form>
  );
}

/** Archiving it, which can be undone; its subscriptions cannot. */
function End({ env, of }: { readonly env: string; readonly of: Schemas['Application'] }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [isAsked, setAsked] = useState(false);
  const { data: open } = useQuery({
    ...listedSubscriptions({ env, of: 'application', id: of.id }, { shown: 'open', page: 1 }),
    enabled: isAsked,
  });
  const archiving = useMutation({
    mutationFn: () =>
      answerOf(
        api.DELETE('/management/organizations/{orgId}/environments/{envId}/applications/{applicationId}', {
          params: { path: { orgId: organization, envId: env, applicationId: of.id } },
        }),
      ),
    onSuccess: async () => {
      await navigate({ to: '/$env/applications', params: { env } });
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['application', env, of.id] }),
        queries.invalidateQueries({ queryKey: ['applications', env] }),
      ]);
    },
  });
  return (
    <Panel title="Archive">
      <div className={styles['rows']}>
        <p className="second">
          Its subscriptions end, and its keys open nothing any more. It can be restored; they cannot.
        </p>
        <div>
          <Button look="danger" onClick={() => setAsked(true)}>
            Archive application
          </Button>
        </div>
      </div>
      <FormDialog
        title={`Archive ${of.name}?`}
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        submit={{ verb: 'Archive application', mutation: archiving, isDangerous: true }}
      >
        <Effects
          effects={[[open === undefined ? '–' : String(open.total), 'subscriptions end, with their keys']]}
        />
      </FormDialog>
    </Panel>
  );
}
