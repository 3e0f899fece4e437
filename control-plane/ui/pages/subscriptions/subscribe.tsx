import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { type Choice, SearchField } from '../../kit/search-field.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { CreateApplication } from '../applications/create.tsx';
import { oneApplication, saveApplication } from '../applications/questions.ts';
import { listedApis, pathsOf, plansOf } from '../apis/questions.ts';
import { type Side, subscribe, type Subscription, useSubscriptionChange } from './side.ts';
import { securityWords } from './words.ts';

const choicesMax = 20;

/** Applications of which something matches what was typed, the first twenty. */
const foundApplications = (env: string, text: string) =>
  queryOptions({
    queryKey: ['applications', env, 'found', text],
    queryFn: async (): Promise<readonly Choice[]> => {
      const { data } = await answerOf(
        api.GET('/management/organizations/{orgId}/environments/{envId}/applications/_paged', {
          params: {
            path: { orgId: organization, envId: env },
            query: { size: choicesMax, ...(text !== '' && { query: text }) },
          },
        }),
      );
      return data.map(({ id, name, owner }) => ({ id, name, about: owner?.displayName }));
    },
    placeholderData: (before) => before,
  });

/** APIs of which something matches what was typed, the first of them. */
function useFoundApis(env: string, text: string): readonly Choice[] | undefined {
  const { data } = useQuery(listedApis({ env, q: text === '' ? undefined : text, page: 1, sort: 'name' }));
  return data?.data.map((found) => ({ id: found.id, name: found.name, about: pathsOf(found)[0] }));
}

interface Props {
  readonly side: Side;
  readonly onClose: () => void;
  readonly onSubscribed: (subscription: Subscription) => void;
}

/** Brings an application and a plan together; what is asked for is the one that the page is not about. */
export function Subscribe({ isOpen, ...props }: Props & { readonly isOpen: boolean }) {
  return isOpen ? <Asked {...props} /> : null;
}

function Asked({ side, onClose, onSubscribed }: Props) {
  const { choices, other, choose, find } = useOther(side);
  const [plan, setPlan] = useState<string>();
  const [isCreating, setCreating] = useState(false);
  const { env } = side;
  const apiId = side.of === 'api' ? side.id : other?.id;
  const { data: allPlans, error } = useQuery({
    ...plansOf({ env, id: apiId ?? '' }),
    enabled: apiId !== undefined,
  });
  const plans = allPlans?.data.filter(isOpenPlan);
  const chosenPlan = plans?.find(({ id }) => id === plan) ?? plans?.[0];
  const planId = chosenPlan?.id;
  const applicationId = side.of === 'api' ? other?.id : side.id;
  const client = useClient(env, applicationId, chosenPlan);
  const subscribing = useSubscriptionChange(
    env,
    async () => {
      await client.keep();
      return subscribe(side, { planId: planId ?? '', applicationId: applicationId ?? '' });
    },
    {
      onDone: (made) => {
        onClose();
        onSubscribed(made);
      },
    },
  );
  const told = subscribing.error && Problem.of(subscribing.error).at({ clientId: 'settings.app.client_id' });
  return (
    <>
      <FormDialog
        title={side.of === 'api' ? 'Subscribe an application' : 'Subscribe to an API'}
        // One dialog at a time: this one keeps what is chosen while the other is open.
        isOpen={!isCreating}
        onClose={onClose}
        submit={{
          verb: 'Subscribe',
          mutation: subscribing,
          isReady: other !== undefined && planId !== undefined && client.isKnown,
          others: told?.others,
        }}
      >
        <SearchField
          label={side.of === 'api' ? 'Application' : 'API'}
          choices={choices ?? []}
          isAwaited={choices === undefined}
          value={other}
          onChoose={choose}
          onSearch={(next) => find(undefined, next)}
        />
        {error !== null && apiId !== undefined && <ProblemBox error={error} />}
        {plans !== undefined && <PlanField {...{ plans, planId, setPlan }} />}
        {client.isLacking && <ClientField client={client} error={told?.faults.clientId} />}
        {side.of === 'api' && <NotThereYet env={env} onCreate={() => setCreating(true)} />}
      </FormDialog>
      <CreateApplication
        env={env}
        isOpen={isCreating}
        onClose={() => setCreating(false)}
        onMade={({ id, name, owner }) => find({ id, name, about: owner?.displayName })}
      />
    </>
  );
}

/** What the page is not about, as it is searched and chosen. */
function useOther(side: Side) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<Choice>();
  const choices = useChoices(side, text);
  return {
    choices,
    // Where there is one, nobody has to choose it.
    other: chosen ?? (text === '' && choices?.length === 1 ? choices[0] : undefined),
    choose: setChosen,
    find: (found: Choice | undefined, searched = ''): void => {
      setText(searched);
      setChosen(found);
    },
  };
}

/** An application can be made where it is missed; what was found covers what stands right below its field, so this stands last. */
function NotThereYet({ env, onCreate }: { readonly env: string; readonly onCreate: () => void }) {
  const may = useRights({ env });
  if (!may('APPLICATION', 'C')) return null;
  return (
    <p className="second">
      The application is not there yet?{' '}
      <button type="button" className="link" onClick={onCreate}>
        Create it
      </button>
    </p>
  );
}

/** The client that an application is to those who issue tokens, where a plan finds its callers by that. */
interface Client {
  /** The application is none yet. */
  readonly isLacking: boolean;
  /** Nothing is lacking, or it was typed. */
  readonly isKnown: boolean;
  readonly id: string;
  readonly onChange: (id: string) => void;
  /** Writes what was typed into the application, which is found by it in every token from now on. */
  readonly keep: () => Promise<void>;
}

function useClient(
  env: string,
  application: string | undefined,
  plan: Schemas['PlanV4'] | undefined,
): Client {
  const queries = useQueryClient();
  const [id, onChange] = useState('');
  const isByClient = plan?.security.type === 'JWT' || plan?.security.type === 'OAUTH2';
  const { data } = useQuery({
    ...oneApplication(env, application ?? ''),
    enabled: isByClient && application !== undefined,
  });
  const { app, oauth } = data?.settings ?? {};
  const isLacking =
    isByClient &&
    data !== undefined &&
    app?.client_id === undefined &&
    typeof oauth?.['client_id'] !== 'string';
  return {
    isLacking,
    isKnown: !isLacking || id.trim() !== '',
    id,
    onChange,
    keep: async () => {
      if (!isLacking) return;
      await saveApplication(env, data, { clientId: id });
      await queries.invalidateQueries({ queryKey: ['application', env, application] });
    },
  };
}

const ClientField = ({ client, error }: { readonly client: Client; readonly error: string | undefined }) => (
  <TextField
    label="Client id"
    hint="The application has none yet. Callers of this plan present a token, and the client that it names is this application."
    className="mono"
    maxLength={256}
    value={client.id}
    error={error}
    onChange={({ target: { value } }) => client.onChange(value)}
  />
);

function useChoices(side: Side, text: string): readonly Choice[] | undefined {
  const isOfApi = side.of === 'api';
  const applications = useQuery({ ...foundApplications(side.env, text), enabled: isOfApi }).data;
  const apis = useFoundApis(side.env, text);
  return isOfApi ? applications : apis;
}

/** Anybody may call a keyless plan: there is nothing to subscribe to. */
const isOpenPlan = ({ status, security }: Schemas['PlanV4']): boolean =>
  status === 'PUBLISHED' && security.type !== 'KEY_LESS';

function PlanField({
  plans,
  planId,
  setPlan,
}: {
  readonly plans: readonly Schemas['PlanV4'][];
  readonly planId: string | undefined;
  readonly setPlan: (plan: string) => void;
}) {
  if (plans.length === 0)
    return <p className="second">This API has no published plan that takes subscriptions.</p>;
  const shown = plans.find(({ id }) => id === planId);
  return (
    <SelectField
      label="Plan"
      hint={
        shown?.validation === 'MANUAL'
          ? 'Somebody who runs the API accepts or rejects it.'
          : shown?.security.type === 'API_KEY'
            ? 'Accepted at once: the key is shown next, and only there.'
            : 'Accepted at once.'
      }
      value={planId}
      onChange={({ target: { value } }) => setPlan(value)}
      options={plans.map(({ id, name, security }) => [id, `${name} (${securityWords(security.type)})`])}
    />
  );
}
