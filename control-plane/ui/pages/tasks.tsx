import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, type Schemas } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { tasksPerPage, useTasks } from '../api/tasks.ts';
import { Button } from '../kit/button.tsx';
import { FormDialog } from '../kit/dialog.tsx';
import { TextField } from '../kit/field.tsx';
import { shortId } from '../kit/numbers.ts';
import { PageHeader } from '../kit/page.tsx';
import { Status, type Tone } from '../kit/status.tsx';
import { type Column, DataTable } from '../kit/table.tsx';
import { Time } from '../kit/time.tsx';
import { Empty } from '../kit/told.tsx';
import { DecideRegistration } from './organization/user-deeds.tsx';
import { Accept, Reject } from './subscriptions/deeds.tsx';
import { KeyOnce } from './subscriptions/key-once.tsx';
import { type Key, oneSubscription, type Subscription } from './subscriptions/side.ts';

type Task = Schemas['Task'];
type Names = Schemas['TasksPage']['metadata'];

const route = getRouteApi('/$env/tasks');
/** So many are told at most; who has decided some of them is told of the next. */
const listedMax = 1_000;

interface Asked {
  readonly deed: 'accept' | 'reject';
  readonly task: Task;
}

/** What waits for the reader: subscriptions that he may decide, reviews that he may give or has to answer, people who have registered. */
export function Tasks() {
  const { env } = route.useParams();
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/tasks' });
  const { rows, total, names, elsewhere, error } = useTasks(env, { page, size: tasksPerPage });
  const [asked, setAsked] = useState<Asked>();
  const [made, setMade] = useState<{ readonly key: Key | undefined; readonly of: Subscription }>();
  return (
    <>
      <PageHeader
        title="Tasks"
        sub={elsewhere > 0 ? `and ${elsewhere} in other environments` : 'What waits for you, longest first'}
      />
      <DataTable
        label="Tasks"
        rows={rows}
        error={error}
        keyOf={({ type, data }) => `${type}/${data.id}`}
        columns={columnsOf({ env, names, onAsk: setAsked })}
        paging={
          total !== undefined && total > tasksPerPage
            ? {
                page,
                perPage: tasksPerPage,
                total: Math.min(total, listedMax),
                onPage: (next) => void navigate({ search: next === 1 ? {} : { page: next } }),
              }
            : undefined
        }
        empty={
          <Empty title="Nothing waits for you">
            Here stand subscriptions that you may accept or reject, APIs whose review is yours to give or to
            answer, and people who have registered.
          </Empty>
        }
      />
      {asked !== undefined && (
        <Decide
          env={env}
          asked={asked}
          onClose={() => setAsked(undefined)}
          onKey={(key, of) => setMade({ key, of })}
        />
      )}
      <KeyOnce env={env} subscription={made?.of} apiKey={made?.key} onClose={() => setMade(undefined)} />
    </>
  );
}

const words: Readonly<Record<Task['type'], readonly [Tone, string]>> = {
  SUBSCRIPTION_APPROVAL: ['warn', 'Subscription to decide'],
  IN_REVIEW: ['info', 'API to review'],
  REQUEST_FOR_CHANGES: ['warn', 'Changes asked for'],
  USER_REGISTRATION_APPROVAL: ['warn', 'Registration to approve'],
};

function columnsOf({
  env,
  names,
  onAsk,
}: {
  readonly env: string;
  readonly names: Names;
  readonly onAsk: (asked: Asked) => void;
}): readonly Column<Task>[] {
  const nameOf = (id: string | undefined): string =>
    id === undefined ? '–' : (names[id]?.name ?? shortId(id));
  return [
    {
      title: 'Who',
      cell: (task) => <Who env={env} task={task} nameOf={nameOf} />,
    },
    {
      title: 'What',
      cell: ({ type }) => <Status tone={words[type][0]}>{words[type][1]}</Status>,
    },
    { title: 'API', cell: ({ data }) => <span className="clip">{nameOf(data.api)}</span> },
    { title: 'Plan', cell: ({ data }) => <span className="second">{nameOf(data.plan)}</span> },
    {
      title: 'Note',
      cell: ({ data }) => (
        <span className="second clip">{data.request ?? data.comment ?? data.email ?? '–'}</span>
      ),
    },
    { title: 'Waits since', cell: ({ created_at: at }) => <Time at={at} /> },
    {
      title: 'Decide',
      align: 'end',
      isDeeds: true,
      cell: (task) => {
        if (task.type === 'REQUEST_FOR_CHANGES') return null;
        const of = decidedOf(task, nameOf);
        return (
          <>
            <Button
              size="small"
              look="quiet"
              aria-label={`Reject ${of}`}
              onClick={() => onAsk({ deed: 'reject', task })}
            >
              Reject
            </Button>
            <Button size="small" aria-label={`Accept ${of}`} onClick={() => onAsk({ deed: 'accept', task })}>
              Accept
            </Button>
          </>
        );
      },
    },
  ];
}

/** Whom a task is of, with the way to it. */
function Who({
  env,
  task: { type, data },
  nameOf,
}: {
  readonly env: string;
  readonly task: Task;
  readonly nameOf: (id: string | undefined) => string;
}) {
  const { api: ofApi = '' } = data;
  if (type === 'USER_REGISTRATION_APPROVAL')
    return (
      <Link to="/_org/users/$user" params={{ user: data.id }}>
        {data.displayName}
      </Link>
    );
  if (type === 'SUBSCRIPTION_APPROVAL')
    return (
      <Link
        to="/$env/apis/$api/subscriptions/$subscription"
        params={{ env, api: ofApi, subscription: data.id }}
      >
        {nameOf(data.application)}
      </Link>
    );
  return (
    <Link to="/$env/apis/$api" params={{ env, api: ofApi }}>
      {nameOf(data.user)}
    </Link>
  );
}

/** Whom or what a decision is of. */
function decidedOf({ type, data }: Task, nameOf: (id: string | undefined) => string): string {
  if (type === 'USER_REGISTRATION_APPROVAL') return data.displayName ?? shortId(data.id);
  return nameOf(type === 'IN_REVIEW' ? data.api : data.application);
}

/** Asks what belongs to the decision: of a subscription its end and a message, of a review a message. */
function Decide({
  env,
  asked: { deed, task },
  onClose,
  onKey,
}: {
  readonly env: string;
  readonly asked: Asked;
  readonly onClose: () => void;
  readonly onKey: (key: Key | undefined, of: Subscription) => void;
}) {
  if (task.type === 'USER_REGISTRATION_APPROVAL') {
    const { id, displayName = '', email } = task.data;
    return (
      <DecideRegistration
        user={{ id, displayName, email }}
        isAccepted={deed === 'accept'}
        onClose={onClose}
      />
    );
  }
  if (task.type === 'IN_REVIEW') return <Review env={env} deed={deed} task={task} onClose={onClose} />;
  return <DecideSubscription {...{ env, deed, task, onClose, onKey }} />;
}

function DecideSubscription({
  env,
  deed,
  task: { data: of },
  onClose,
  onKey,
}: Asked & {
  readonly env: string;
  readonly onClose: () => void;
  readonly onKey: (key: Key | undefined, of: Subscription) => void;
}) {
  const side = { env, of: 'api', id: of.api ?? '' } as const;
  const { data } = useQuery(oneSubscription(side, of.id));
  if (data === undefined) return null;
  const props = { side, subscription: data, onClose };
  return deed === 'accept' ? <Accept {...props} onKey={(key) => onKey(key, data)} /> : <Reject {...props} />;
}

function Review({
  env,
  deed,
  task: { data: of },
  onClose,
}: Asked & { readonly env: string; readonly onClose: () => void }) {
  const [message, setMessage] = useState('');
  const deciding = useChange({
    change: () =>
      answerOf(
        api.POST(`/management/v2/environments/{envId}/apis/{apiId}/reviews/_${deed}`, {
          params: { path: { envId: env, apiId: of.api ?? '' } },
          body: message === '' ? {} : { message },
        }),
      ),
    touches: [['tasks'], ['api', env, of.api ?? '']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={deed === 'accept' ? 'Accept the review?' : 'Ask for changes?'}
      about={
        deed === 'accept'
          ? 'The API may be started as it is.'
          : 'The API does not start until it was changed and asked for again.'
      }
      isOpen
      onClose={onClose}
      submit={{ verb: deed === 'accept' ? 'Accept review' : 'Ask for changes', mutation: deciding }}
    >
      <TextField
        label="Message"
        hint="Those of the API read it"
        isOptional
        value={message}
        maxLength={1_024}
        onChange={({ target: { value } }) => setMessage(value)}
      />
    </FormDialog>
  );
}
