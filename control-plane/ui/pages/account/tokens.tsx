import { queryOptions, useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { Button } from '../../kit/button.tsx';
import { ChecksField } from '../../kit/checks.tsx';
import { Code } from '../../kit/code.tsx';
import { CopyVerb } from '../../kit/copy.tsx';
import { FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { FilterBox, SelectField, SwitchField, TextField } from '../../kit/field.tsx';
import { now } from '../../kit/now.ts';
import { dayMs } from '../../kit/numbers.ts';
import { Panel } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { type Column, DataTable, deedsColumn } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import styles from './account.module.css';

type Token = Schemas['Token'];
type Wish = Schemas['NewToken'];

const org = { orgId: organization };
const ownPath = '/management/organizations/{orgId}/user/tokens';
const othersPath = '/management/organizations/{orgId}/users/{userId}/tokens';

/** Tokens of somebody, or one's own. */
const tokensOf = (user: string | undefined) =>
  queryOptions({
    queryKey: ['tokens', user ?? 'own'],
    queryFn: () =>
      user === undefined
        ? answerOf(api.GET(ownPath, { params: { path: org } }))
        : answerOf(api.GET(othersPath, { params: { path: { ...org, userId: user } } })),
  });

const tokenScopes = queryOptions({
  queryKey: ['tokens', 'scopes'],
  queryFn: () => answerOf(api.GET(`${ownPath}/scopes`, { params: { path: org } })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Personal tokens: what programs sign in with in somebody's name. */
export function Tokens({
  of,
  may = { create: true, delete: true },
}: {
  /** Whose; absent for one's own. */
  readonly of?: string;
  readonly may?: { readonly create: boolean; readonly delete: boolean };
}) {
  const { data, error } = useQuery(tokensOf(of));
  const [isCreating, setCreating] = useState(false);
  const [made, setMade] = useState<Token>();
  const [deleted, setDeleted] = useState<Token>();
  const create = may.create ? (
    <Button size="small" onClick={() => setCreating(true)}>
      <Plus size={14} aria-hidden />
      Create token
    </Button>
  ) : undefined;
  return (
    <Panel title="Tokens" isBare end={create}>
      <DataTable
        label="Tokens"
        isInner
        rows={data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(may.delete ? setDeleted : undefined)}
        empty={
          <Empty title="No tokens yet">
            A token lets a program call the management API: a pipeline, the command line, Terraform.
          </Empty>
        }
      />
      {isCreating && <CreateToken of={of} onClose={() => setCreating(false)} onMade={setMade} />}
      {made !== undefined && <TokenOnce token={made} onClose={() => setMade(undefined)} />}
      {deleted !== undefined && <DeleteToken of={of} token={deleted} onClose={() => setDeleted(undefined)} />}
    </Panel>
  );
}

function columnsOf(onDelete: ((token: Token) => void) | undefined): readonly Column<Token>[] {
  return [
    { title: 'Name', cell: ({ name }) => <span className="clip">{name}</span> },
    {
      title: 'May',
      cell: ({ scopes }) =>
        scopes === undefined ? (
          <Status tone="warn">everything its owner may</Status>
        ) : (
          <span title={scopes.join(', ')}>
            {scopes.length} {scopes.length === 1 ? 'right' : 'rights'}
          </span>
        ),
    },
    { title: 'Created', cell: ({ created_at: at }) => <Time at={at} /> },
    {
      title: 'Ends',
      cell: ({ expires_at: at }) =>
        at === undefined ? (
          <span className="second">never</span>
        ) : at <= now() ? (
          <Status tone="idle">Ended</Status>
        ) : (
          <Time at={at} />
        ),
    },
    {
      title: 'Last use',
      align: 'end',
      cell: ({ last_use_at: at }) =>
        at === undefined ? <span className="quiet">not yet</span> : <Time at={at} />,
    },
    ...deedsColumn<Token>('Delete', [
      { verb: 'Delete', label: ({ name }) => `Delete token ${name}`, onDo: onDelete },
    ]),
  ];
}

const lives = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'A year'],
  ['', 'Never ends'],
] as const;

function CreateToken({
  of,
  onClose,
  onMade,
}: {
  readonly of: string | undefined;
  readonly onClose: () => void;
  readonly onMade: (token: Token) => void;
}) {
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [isNarrowed, setNarrowed] = useState(true);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const creating = useChange({
    change: () => {
      const body: Wish = {
        name,
        ...(days !== '' && { expiresAt: new Date(now() + Number(days) * dayMs).toISOString() }),
        // The API says of each whether it is one.
        ...(isNarrowed && { scopes: chosen as NonNullable<Wish['scopes']> }),
      };
      return of === undefined
        ? answerOf(api.POST(ownPath, { params: { path: org }, body }))
        : answerOf(api.POST(othersPath, { params: { path: { ...org, userId: of } }, body }));
    },
    touches: [['tokens', of ?? 'own'], ['users']],
    onDone: (token) => {
      onClose();
      onMade(token);
    },
  });
  return (
    <FormDialog
      title="Create token"
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Create token',
        mutation: creating,
        isReady: name.trim() !== '' && (!isNarrowed || chosen.length > 0),
      }}
    >
      <TextField
        label="Name"
        hint="What uses it, so that somebody knows later what stops when it is deleted"
        value={name}
        maxLength={256}
        autoFocus
        error={Problem.at(creating.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      <SelectField
        label="Ends after"
        value={days}
        options={lives}
        onChange={({ target: { value } }) => setDays(value)}
      />
      <SwitchField
        label="Narrow it to some rights"
        hint={isNarrowed ? undefined : 'It may do all that its owner may, whatever that will be'}
        isOn={isNarrowed}
        onChange={setNarrowed}
      />
      {isNarrowed && <Scopes chosen={chosen} onChange={setChosen} />}
    </FormDialog>
  );
}

/** Rights that a token can be narrowed to, found by their names or by the operations that they open. */
function Scopes({
  chosen,
  onChange,
}: {
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}) {
  const { data } = useQuery(tokenScopes);
  const [text, setText] = useState('');
  const words = text.trim().toLowerCase();
  const found = (data ?? []).filter(
    ({ scope, operations }) =>
      words === '' ||
      scope.includes(words) ||
      operations.some((operation) => operation.toLowerCase().includes(words)),
  );
  return (
    <>
      <FilterBox label="Find a right or an operation" value={text} onChange={setText} />
      <ChecksField
        label={`Rights (${chosen.length} chosen)`}
        choices={found.map(({ scope, operations }) => ({
          id: scope,
          name: scope,
          about: opened(operations),
          isCode: true,
        }))}
        chosen={chosen}
        onChange={onChange}
      />
    </>
  );
}

const namedMax = 3;

function opened(operations: readonly string[]): string {
  const named = operations.slice(0, namedMax).join(', ');
  return operations.length > namedMax ? `${named} and ${operations.length - namedMax} more` : named;
}

/** A token that was just made: this is the only place that ever shows it. */
function TokenOnce({ token, onClose }: { readonly token: Token; readonly onClose: () => void }) {
  const value = token.token ?? '';
  const url = `${location.origin}/management/organizations/${organization}/user`;
  return (
    <ToldDialog
      title={`Token ${token.name}`}
      about="This is the only time that you see it."
      isOpen
      isFirm
      onClose={onClose}
      actions={<CopyVerb verb="Copy token" text={value} look="primary" />}
    >
      <output className={`${styles['secret']} mono`} aria-label="Token">
        {value}
      </output>
      <Code label="curl" text={`curl -H 'Authorization: Bearer ${value}' \\\n  ${url}`} />
    </ToldDialog>
  );
}

function DeleteToken({
  of,
  token,
  onClose,
}: {
  readonly of: string | undefined;
  readonly token: Token;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: () =>
      of === undefined
        ? answerOf(api.DELETE(`${ownPath}/{tokenId}`, { params: { path: { ...org, tokenId: token.id } } }))
        : answerOf(
            api.DELETE(`${othersPath}/{tokenId}`, {
              params: { path: { ...org, userId: of, tokenId: token.id } },
            }),
          ),
    touches: [['tokens', of ?? 'own'], ['users']],
    onDone: onClose,
    said: () => ({ text: `${token.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete token ${token.name}?`}
      about="Whatever signs in with it is refused from its next request on."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete token', mutation: deleting, isDangerous: true }}
    />
  );
}
