import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
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
import styles from '../../account/account.module.css';
import { CreateProvider } from './create-provider.tsx';
import {
  activations,
  type ProviderItem,
  providers,
  saveSignIn,
  type SignInSettings,
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

/** A change that is asked for before it is made. */
interface Wanted {
  readonly settings: Partial<SignInSettings>;
  readonly title: string;
  readonly about: string;
  readonly verb: string;
}

const secondFactorWanted = (isOn: boolean): Wanted =>
  isOn
    ? {
        settings: { secondFactor: 'REQUIRED' },
        title: 'Ask everybody for a second factor?',
        about:
          'Sessions of those who have a password and no second factor end now. Their next sign-in leads to one and to nothing else.',
        verb: 'Require a second factor',
      }
    : {
        settings: { secondFactor: 'OPTIONAL' },
        title: 'Ask nobody for a second factor?',
        about: 'Who has one keeps it; nobody else is asked for one.',
        verb: 'Make it optional',
      };

const registrationWanted = (enabled: boolean): Wanted =>
  enabled
    ? {
        settings: { userCreation: { enabled } },
        title: 'Let people register themselves?',
        about:
          'Whoever reaches the sign-in page can ask for an account, and shows to read mail at the address.',
        verb: 'Allow registration',
      }
    : {
        settings: { userCreation: { enabled }, automaticValidation: { enabled } },
        title: 'Let nobody register any more?',
        about: 'Links that were sent open nothing. Who waits goes on waiting for your word.',
        verb: 'End registration',
      };

const validationWanted = (enabled: boolean): Wanted =>
  enabled
    ? {
        settings: { automaticValidation: { enabled } },
        title: 'Let in whoever registers?',
        about:
          'Everybody who reads mail at an address has an account, with the roles that are given by default.',
        verb: 'Let them in at once',
      }
    : {
        settings: { automaticValidation: { enabled } },
        title: 'Approve each registration?',
        about: 'Who registers waits among the tasks of those who change users.',
        verb: 'Approve each',
      };

function Passwords({ isReadOnly }: { readonly isReadOnly: boolean }) {
  const { data, error } = useQuery(signInSettings);
  const [wanted, setWanted] = useState<Wanted>();
  const saving = useChange({
    change: async () => {
      if (data !== undefined) await saveSignIn({ ...data.data, ...wanted?.settings }, data.tag);
    },
    touches: [['sign-in-settings'], ['second-factor'], ['me'], ['ways-in']],
    onDone: () => setWanted(undefined),
  });
  const close = (): void => {
    saving.reset();
    setWanted(undefined);
  };
  const isOpen = data?.data.userCreation.enabled === true;
  return (
    <Panel title="Passwords">
      {error !== null && <ProblemBox error={error} />}
      {data !== undefined && (
        <fieldset className={styles['rows']} disabled={isReadOnly}>
          <SwitchField
            label="Everybody who has a password has a second factor"
            hint="Who comes by an identity provider has it there; tokens of programs go on"
            isOn={data.data.secondFactor === 'REQUIRED'}
            onChange={(isOn) => setWanted(secondFactorWanted(isOn))}
          />
          <SwitchField
            label="People register themselves"
            hint="They confirm their mail address by a link"
            isOn={isOpen}
            onChange={(isOn) => setWanted(registrationWanted(isOn))}
          />
          {isOpen && (
            <SwitchField
              label="Who registers comes in at once"
              hint="Otherwise each waits until somebody approves it, among the tasks"
              isOn={data.data.automaticValidation.enabled}
              onChange={(isOn) => setWanted(validationWanted(isOn))}
            />
          )}
        </fieldset>
      )}
      {wanted !== undefined && (
        <FormDialog
          title={wanted.title}
          about={wanted.about}
          isOpen
          onClose={close}
          submit={{ verb: wanted.verb, mutation: saving, isDangerous: true }}
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
  const { rows, paging } = usePages(data);
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
        rows={rows}
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
