import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { useWritten } from '../../api/written.ts';
import { Button } from '../../kit/button.tsx';
import { CopyAs } from '../../kit/copy-as.tsx';
import { Bar, Body, Discard, SaveBar, Unanswered } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { Note, ProblemBox } from '../../kit/told.tsx';
import { Unsaved } from '../../kit/unsaved.tsx';
import styles from './inside.module.css';
import { PlanDeeds } from './plan-deeds.tsx';
import { PlanFields } from './plan-fields.tsx';
import {
  blankPlan,
  createPlan,
  onePlan,
  type Plan,
  type PlanWish,
  savePlan,
  wishOf,
} from './plan-questions.ts';
import { planStates } from './plans.tsx';

const route = getRouteApi('/$env/apis/$api/plans/$plan');

/** A plan of an API: what it asks of callers, and its life; `new` is one that is about to be made. */
export function ApiPlan() {
  const { env, api: id, plan } = route.useParams();
  const isNew = plan === 'new';
  const { data, error } = useQuery({ ...onePlan({ env, id, plan }), enabled: !isNew });
  if (isNew) return <NewPlan />;
  if (data === undefined) return <Unanswered error={error} />;
  return <Edited key={plan} of={data.data} tag={data.tag} />;
}

function NewPlan() {
  const { env, api: id } = route.useParams();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [wish, setWish] = useState<PlanWish>(blankPlan);
  const creating = useMutation({
    mutationFn: (status: 'STAGING' | 'PUBLISHED') => createPlan({ env, id }, wish, status),
    onSuccess: async ({ id: plan }) => {
      await queries.invalidateQueries({ queryKey: ['api', env, id] });
      await navigate({ to: '/$env/apis/$api/plans/$plan', params: { env, api: id, plan }, replace: true });
    },
  });
  const isReady = wish.name.trim() !== '' && !creating.isPending;
  return (
    <>
      <Bar title="New plan" />
      <Body>
        <form
          className={styles['form']}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (isReady) creating.mutate('PUBLISHED');
          }}
        >
          {wish.name !== '' && <Unsaved />}
          <PlanFields
            wish={wish}
            isNew
            details={creating.error === null ? [] : Problem.of(creating.error).details}
            onChange={setWish}
          />
          {creating.error !== null && <ProblemBox error={creating.error} />}
          <div className={styles['end']}>
            <CopyAs change={() => createPlan({ env, id }, wish, 'PUBLISHED')} />
            <Button disabled={!isReady} onClick={() => creating.mutate('STAGING')}>
              Create in staging
            </Button>
            <Button type="submit" look="primary" disabled={!isReady}>
              Create and publish
            </Button>
          </div>
        </form>
      </Body>
    </>
  );
}

function Edited({ of, tag }: { readonly of: Plan; readonly tag: string | undefined }) {
  const { env, api: id } = route.useParams();
  const may = useRights({ env, api: id });
  const written = useWritten<string | undefined, PlanWish>(tag);
  const shown = { ...wishOf(of), ...written.fields };
  const saving = useChange({
    change: () => savePlan({ env, id, plan: of.id }, shown, written.over),
    touches: [['api', env, id]],
    written,
  });
  const isReadOnly = !may('PLAN', 'U') || of.status === 'CLOSED';
  return (
    <>
      <Bar
        title={of.name}
        status={
          <Status tone={planStates[of.status][0]} isPill>
            {planStates[of.status][1]}
          </Status>
        }
      >
        {!written.isWritten && <PlanDeeds env={env} api={id} of={of} />}
      </Bar>
      <Body>
        <form
          className={styles['form']}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (shown.name.trim() !== '' && !saving.isPending) saving.mutate();
          }}
        >
          {of.status === 'CLOSED' ? (
            <Note>It is closed: nobody enters by it, and it cannot be changed.</Note>
          ) : (
            isReadOnly && (
              <Note>
                You can read this plan. Changing it needs <b>PLAN, update</b> on the API.
              </Note>
            )
          )}
          <PlanFields
            wish={shown}
            details={saving.error === null ? [] : Problem.of(saving.error).details}
            isReadOnly={isReadOnly}
            onChange={written.write}
          />
          {saving.error !== null && <ProblemBox error={saving.error} />}
          {written.isWritten && (
            <SaveBar change={saving.change}>
              <Discard {...{ saving, written }} />
              <Button type="submit" look="primary" disabled={shown.name.trim() === '' || saving.isPending}>
                Save
              </Button>
            </SaveBar>
          )}
        </form>
      </Body>
    </>
  );
}
