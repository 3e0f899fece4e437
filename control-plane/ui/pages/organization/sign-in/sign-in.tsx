import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../../../api/client.ts';
import { useChange } from '../../../api/change.ts';
import { useOrganizationRights } from '../../../api/rights.ts';
import { Button } from '../../../kit/button.tsx';
import { FormDialog } from '../../../kit/dialog.tsx';
import { SwitchField } from '../../../kit/field.tsx';
import { Body, PageHeader, Panel } from '../../../kit/page.tsx';
import { Status, Tag } from '../../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../../kit/table.tsx';
import { Time } from '../../../kit/time.tsx';
import { Empty, ProblemBox } from '../../../kit/told.tsx';
import { CreateProvider } from './create-provider.tsx';
import {
  activations,
  type ProviderItem,
  providers,
  saveSignIn,
  signInSettings,
  typeWords,
} from './questions.ts';

/** How people sign in: what is asked beside a password, and who else says who they are. */
export function SignInSettings() {
  const may = useOrganizationRights();
  const maySettings = may('SETTINGS', 'R');
  const mayProviders = may('IDENTITY_PROVIDER', 'R');
  return (
    <>
      <PageHeader title="Sign-in" />
      {maySettings || mayProviders ? (
        <Body>
          {maySettings && <Passwords isReadOnly={!may('SETTINGS', 'U')} />}
          {mayProviders && <Providers />}
        </Body>
      ) : (
        <Empty title="How people sign in is not shown to you">
          It is for those who hold SETTINGS or IDENTITY PROVIDER, read on the organization. Its administrators
          give it.
        </Empty>
      )}
    </>
  );
}

function Passwords({ isReadOnly }: { readonly isReadOnly: boolean }) {
  const { data, error } = useQuery(signInSettings);
  const [wanted, setWanted] = useState<Schemas['SignInSettings']['secondFactor']>();
  const saving = useChange({
    change: () => saveSignIn(wanted ?? 'OPTIONAL', data?.tag),
    touches: [['sign-in-settings'], ['second-factor'], ['me']],
    onDone: () => setWanted(undefined),
  });
  const close = (): void => {
    saving.reset();
    setWanted(undefined);
  };
  return (
    <Panel title="Passwords">
      {error !== null && <ProblemBox error={error} />}
      {data !== undefined && (
        <fieldset disabled={isReadOnly}>
          <SwitchField
            label="Everybody who has a password has a second factor"
            hint="Who comes by an identity provider has it there; tokens of programs go on"
            isOn={data.data.secondFactor === 'REQUIRED'}
            onChange={(isOn) => setWanted(isOn ? 'REQUIRED' : 'OPTIONAL')}
          />
        </fieldset>
      )}
      {wanted !== undefined && (
        <FormDialog
          title={
            wanted === 'REQUIRED' ? 'Ask everybody for a second factor?' : 'Ask nobody for a second factor?'
          }
          about={
            wanted === 'REQUIRED'
              ? 'Sessions of those who have a password and no second factor end now. Their next sign-in leads to one and to nothing else.'
              : 'Who has one keeps it; nobody else is asked for one.'
          }
          isOpen
          onClose={close}
          submit={{
            verb: wanted === 'REQUIRED' ? 'Require a second factor' : 'Make it optional',
            mutation: saving,
            isDangerous: true,
          }}
        />
      )}
    </Panel>
  );
}

function Providers() {
  const { data, error } = useQuery(providers);
  const may = useOrganizationRights();
  const { data: active = [] } = useQuery({
    ...activations(undefined),
    enabled: may('IDENTITY_PROVIDER_ACTIVATION', 'R'),
  });
  const [isCreating, setCreating] = useState(false);
  const { rows, paging } = usePages(data ?? []);
  const create = may('IDENTITY_PROVIDER', 'C') ? (
    <Button size="small" onClick={() => setCreating(true)}>
      <Plus size={14} aria-hidden />
      Create identity provider
    </Button>
  ) : undefined;
  return (
    <Panel title="Identity providers" isBare end={create}>
      <DataTable
        label="Identity providers"
        isInner
        leads
        rows={data === undefined ? undefined : rows}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(new Set(active))}
        paging={paging}
        empty={
          <Empty title="No identity providers yet">
            People of your company sign in where they do already, by OpenID Connect; what they may do here
            follows from what the provider says of them.
          </Empty>
        }
      />
      {isCreating && <CreateProvider onClose={() => setCreating(false)} />}
    </Panel>
  );
}

function columnsOf(active: ReadonlySet<string>): readonly Column<ProviderItem>[] {
  return [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <Link to="/_org/sign-in/$provider" params={{ provider: id }}>
          {name}
        </Link>
      ),
    },
    { title: 'Type', cell: ({ type }) => <Tag>{typeWords[type]}</Tag> },
    {
      title: 'State',
      cell: ({ id, enabled }) => {
        if (!enabled) return <Status tone="idle">Off</Status>;
        return active.has(id) ? (
          <Status tone="ok">People come in by it</Status>
        ) : (
          <Status tone="warn">Not activated</Status>
        );
      },
    },
    {
      title: 'Groups and roles',
      cell: ({ sync }) => <span className="second">{sync ? 'at each sign-in' : 'at the first alone'}</span>,
    },
    { title: 'Changed', align: 'end', cell: ({ updated_at: at }) => <Time at={at} /> },
  ];
}
