import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { say } from '../../kit/toast.tsx';
import { doWithPlan, openOfPlan, type Plan, type PlanDeed } from './plan-questions.ts';

interface Words {
  readonly verb: string;
  /** What it is then. */
  readonly done: string;
  readonly about: string;
}

const words: Readonly<Record<PlanDeed, Words>> = {
  publish: {
    verb: 'Publish plan',
    done: 'published',
    about: 'Applications may subscribe to it at once; gateways know it with the next deployment.',
  },
  deprecate: {
    verb: 'Deprecate plan',
    done: 'deprecated',
    about: 'Those who have subscribed go on; nobody else may subscribe.',
  },
  close: { verb: 'Close plan', done: 'closed', about: 'It cannot be opened again.' },
  delete: { verb: 'Delete plan', done: 'deleted', about: 'It was never published: nobody uses it.' },
};

/** What can become of a plan, by its state. */
const deedsOf: Readonly<Record<Plan['status'], readonly PlanDeed[]>> = {
  STAGING: ['delete', 'publish'],
  PUBLISHED: ['close', 'deprecate'],
  DEPRECATED: ['close', 'publish'],
  CLOSED: [],
};

/** Publish, deprecate, close, delete: each asked for with what it does. */
export function PlanDeeds({
  env,
  api,
  of,
}: {
  readonly env: string;
  readonly api: string;
  readonly of: Plan;
}) {
  const [asked, setAsked] = useState<PlanDeed>();
  const may = useRights({ env, api });
  const shown = deedsOf[of.status].filter((deed) => may('PLAN', deed === 'delete' ? 'D' : 'U'));
  return (
    <>
      {shown.map((deed) => (
        <Button key={deed} look={deed === 'publish' ? 'primary' : 'plain'} onClick={() => setAsked(deed)}>
          {words[deed].verb}
        </Button>
      ))}
      {asked !== undefined && (
        <Asked {...{ env, api, of }} deed={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function Asked({
  env,
  api,
  of,
  deed,
  onClose,
}: Parameters<typeof PlanDeeds>[0] & { readonly deed: PlanDeed; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const at = { env, id: api, plan: of.id };
  const { data: open } = useQuery({ ...openOfPlan(at), enabled: deed === 'close' });
  const doing = useMutation({
    mutationFn: () => doWithPlan(at, deed),
    onSuccess: async () => {
      if (deed === 'delete') await navigate({ to: '/$env/apis/$api/plans', params: { env, api } });
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['api', env, api], refetchType: 'active' }),
        queries.invalidateQueries({ queryKey: ['subscriptions', env] }),
      ]);
      onClose();
      say({ text: `${of.name} is ${words[deed].done}` });
    },
  });
  const { verb, about } = words[deed];
  return (
    <FormDialog
      title={`${verb.replace(' plan', '')} ${of.name}?`}
      about={about}
      isOpen
      onClose={onClose}
      submit={{
        verb,
        mutation: { ...doing, change: () => doWithPlan(at, deed) },
        isDangerous: deed === 'close' || deed === 'delete',
      }}
    >
      {deed === 'close' && of.security.type !== 'KEY_LESS' && (
        <Effects
          effects={[[open === undefined ? '–' : String(open), 'subscriptions end at once, with their keys']]}
        />
      )}
    </FormDialog>
  );
}
