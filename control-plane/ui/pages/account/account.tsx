import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { whoAmI } from '../../api/session.ts';
import { Button } from '../../kit/button.tsx';
import { TextField } from '../../kit/field.tsx';
import { Body, Columns, PageHeader, Panel } from '../../kit/page.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Unplaced } from '../../kit/told.tsx';
import { Unsaved } from '../../kit/unsaved.tsx';
import styles from './account.module.css';
import { Looks } from './looks.tsx';
import { ProfileForm } from './profile-form.tsx';
import { SecondFactor } from './second-factor.tsx';
import { Tokens } from './tokens.tsx';

type Session = Schemas['Session'];

const org = { orgId: organization };

const sessions = queryOptions({
  queryKey: ['sessions'],
  queryFn: () =>
    answerOf(api.GET('/management/organizations/{orgId}/user/sessions', { params: { path: org } })),
});

/** The reader's own: profile, password, where he is signed in, tokens. */
export function Account() {
  const { data: me } = useQuery(whoAmI);
  if (me === undefined || me === null) return null;
  return (
    <>
      <PageHeader title="Your account" sub={<span className="mono">{me.username}</span>} />
      <Body>
        <Columns>
          <Panel title="Profile">
            <ProfileForm key={me.updated_at} user={me} isOwn />
          </Panel>
          <Panel title="Password">
            {me.source === 'gravitee' ? (
              <PasswordForm />
            ) : (
              <p className="second">You come by an identity provider, which keeps your password.</p>
            )}
          </Panel>
        </Columns>
        <Columns>
          <Panel title="How the console looks">
            <Looks />
          </Panel>
          <SecondFactor />
        </Columns>
        <Sessions />
        <Tokens />
      </Body>
    </>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [hasChanged, setChanged] = useState(false);
  const queries = useQueryClient();
  const changing = useChange({
    change: () =>
      answerOf(
        api.PUT('/management/organizations/{orgId}/user/password', {
          params: { path: org },
          body: { currentPassword: current, password: next },
        }),
      ),
    touches: [['sessions']],
    onDone: () => {
      setCurrent('');
      setNext('');
      setChanged(true);
      void queries.invalidateQueries({ queryKey: ['me'] });
    },
  });
  return (
    <form
      className={styles['rows']}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (current !== '' && next !== '' && !changing.isPending) changing.mutate();
      }}
    >
      {(current !== '' || next !== '') && <Unsaved />}
      <TextField
        label="Current password"
        type="password"
        autoComplete="current-password"
        value={current}
        maxLength={1_024}
        error={Problem.at(changing.error, 'currentPassword')}
        onChange={({ target: { value } }) => setCurrent(value)}
      />
      <TextField
        label="New password"
        hint="12 to 256 characters. Your other sessions end; tokens go on"
        type="password"
        autoComplete="new-password"
        value={next}
        maxLength={256}
        error={Problem.at(changing.error, 'password')}
        onChange={({ target: { value } }) => {
          setChanged(false);
          setNext(value);
        }}
      />
      <Unplaced error={changing.error} />
      <div className={styles['end']}>
        <span role="status">{hasChanged && <Status tone="ok">Password changed</Status>}</span>
        <Button type="submit" disabled={current === '' || next === '' || changing.isPending}>
          Change password
        </Button>
      </div>
    </form>
  );
}

function Sessions() {
  const { data, error } = useQuery(sessions);
  const closing = useChange({
    change: () =>
      answerOf(api.DELETE('/management/organizations/{orgId}/user/sessions', { params: { path: org } })),
    touches: [['sessions']],
  });
  const { rows, paging } = usePages(data);
  const others = (data ?? []).filter(({ current }) => !current).length;
  return (
    <Panel
      title="Sessions"
      isBare
      end={
        others > 0 && (
          <Button size="small" disabled={closing.isPending} onClick={() => closing.mutate()}>
            End all others
          </Button>
        )
      }
    >
      <DataTable
        label="Sessions"
        isInner
        rows={rows}
        paging={paging}
        error={error ?? closing.error}
        keyOf={({ id }) => id}
        columns={columns}
        empty={<p className="inset second">No session: you came with a token.</p>}
      />
    </Panel>
  );
}

const spokenBrowsers = new Map([
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['HeadlessChrome', 'Chrome'],
]);

/** The browser's name out of what it says of itself, which names half a dozen others. */
function browserOf(agent: string): string {
  const known = /(Firefox|Edg|OPR|HeadlessChrome|Chrome|Safari|curl)\/(\d+)/g;
  const found = [...agent.matchAll(known)].map(([, name = '', version = '']) => [name, version] as const);
  const best =
    found.find(([name]) => name === 'Edg' || name === 'OPR' || name === 'Firefox' || name === 'curl') ??
    found.find(([name]) => name.endsWith('Chrome')) ??
    found[0];
  if (best === undefined) return agent.slice(0, 40);
  return `${spokenBrowsers.get(best[0]) ?? best[0]} ${best[1]}`;
}

const columns: readonly Column<Session>[] = [
  {
    title: 'Where',
    cell: ({ user_agent: agent, current }) => (
      <>
        <span title={agent}>{agent === undefined ? 'unknown' : browserOf(agent)}</span>{' '}
        {current && <Tag>This one</Tag>}
      </>
    ),
  },
  { title: 'From', cell: ({ source }) => <span className="mono second">{source ?? '–'}</span> },
  { title: 'Signed in', cell: ({ created_at: at }) => <Time at={at} /> },
  {
    title: 'Last use',
    cell: ({ last_use_at: at }) => (at === undefined ? '–' : <Time at={at} />),
  },
  { title: 'Ends', cell: ({ expires_at: at }) => <Time at={at} /> },
  {
    title: 'End',
    align: 'end',
    isDeeds: true,
    cell: (session) => !session.current && <EndSession session={session} />,
  },
];

function EndSession({ session: { id, source } }: { readonly session: Session }) {
  const { error, isPending, mutate } = useChange({
    change: () =>
      answerOf(
        api.DELETE('/management/organizations/{orgId}/user/sessions/{sessionId}', {
          params: { path: { ...org, sessionId: id } },
        }),
      ),
    touches: [['sessions']],
  });
  return (
    <Button
      size="small"
      look="quiet"
      disabled={isPending}
      aria-label={error === null ? `End session from ${source ?? 'an unknown address'}` : undefined}
      onClick={() => mutate()}
    >
      {error === null ? 'End session' : 'Try again'}
    </Button>
  );
}
