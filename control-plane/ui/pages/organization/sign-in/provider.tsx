import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../../api/change.ts';
import { useOrganizationRights } from '../../../api/rights.ts';
import { environments } from '../../../api/session.ts';
import { Button } from '../../../kit/button.tsx';
import { Copy } from '../../../kit/copy.tsx';
import { FormDialog } from '../../../kit/dialog.tsx';
import { SwitchField } from '../../../kit/field.tsx';
import { Body, Columns, Facts, PageHeader, Panel, Unanswered } from '../../../kit/page.tsx';
import { Status } from '../../../kit/status.tsx';
import { Time } from '../../../kit/time.tsx';
import { Note, ProblemBox } from '../../../kit/told.tsx';
import { ProviderForms } from './provider-edit.tsx';
import { activate, activations, deleteProvider, oneProvider, type Provider, typeWords } from './questions.ts';

const route = getRouteApi('/_org/sign-in/$provider');

/** One identity provider: how it is reached, who comes in by it, and what they get. */
export function IdentityProviderPage() {
  const { provider: id } = route.useParams();
  const { data, error } = useQuery(oneProvider(id));
  const may = useOrganizationRights();
  const [isDeleting, setDeleting] = useState(false);
  if (data === undefined) return <Unanswered title="Identity provider" error={error} />;
  const isReadOnly = !may('IDENTITY_PROVIDER', 'U');
  return (
    <>
      <PageHeader
        title={data.name}
        status={
          <Status tone={data.enabled ? 'ok' : 'idle'} isPill>
            {data.enabled ? 'On' : 'Off'}
          </Status>
        }
        sub={
          <>
            <Link to="/_org/sign-in">Sign-in</Link> · {typeWords[data.type]}
          </>
        }
        actions={
          may('IDENTITY_PROVIDER', 'D') && (
            <Button look="quiet" onClick={() => setDeleting(true)}>
              Delete identity provider
            </Button>
          )
        }
      />
      <Body>
        {isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>IDENTITY PROVIDER, update</b> on the organization.
          </Note>
        )}
        <Columns>
          <Panel title="What it has to know">
            <Facts facts={factsOf(data)} />
          </Panel>
          {may('IDENTITY_PROVIDER_ACTIVATION', 'R') && (
            <Activated id={data.id} isReadOnly={!may('IDENTITY_PROVIDER_ACTIVATION', 'U')} />
          )}
        </Columns>
        <ProviderForms key={data.updated_at} of={data} isReadOnly={isReadOnly} />
      </Body>
      {isDeleting && <Delete of={data} onClose={() => setDeleting(false)} />}
    </>
  );
}

const factsOf = ({ id, redirectUri, updated_at: at }: Provider) =>
  [
    [
      'Redirect URI',
      redirectUri === undefined ? (
        <span key="none" className="second">
          not known: the setting <span className="mono">publicUrl</span> says where browsers reach this
        </span>
      ) : (
        <Copy key="uri" text={redirectUri} />
      ),
    ],
    ['Id', <Copy key="id" text={id} />],
    ['Changed', <Time key="changed" at={at} />],
  ] as const;

/** Where it counts: who comes in by it, and in which environments its mapping gives something. */
function Activated({ id, isReadOnly }: { readonly id: string; readonly isReadOnly: boolean }) {
  const { data: known } = useQuery(environments);
  return (
    <Panel title="Where it counts">
      <fieldset disabled={isReadOnly}>
        <Activation id={id} env={undefined} label="People come in by it" />
        {known?.data.map(({ id: env, name }) => (
          <Activation key={env} {...{ id, env }} label={`It gives roles and groups in ${name}`} />
        ))}
      </fieldset>
    </Panel>
  );
}

function Activation({
  id,
  env,
  label,
}: {
  readonly id: string;
  readonly env: string | undefined;
  readonly label: string;
}) {
  const { data, error } = useQuery(activations(env));
  const [isAsked, setAsked] = useState(false);
  const isOn = data?.includes(id) === true;
  const changing = useChange({
    change: () => activate(env, isOn ? (data ?? []).filter((each) => each !== id) : [...(data ?? []), id]),
    touches: [['providers', 'activations'], ['identity-providers']],
    onDone: () => setAsked(false),
  });
  // To whom this is not shown (an environment that is not his), nothing is shown of it.
  if (data === undefined) return error === null ? null : <ProblemBox error={error} />;
  return (
    <>
      <SwitchField
        label={label}
        isOn={isOn}
        onChange={(next) => {
          // Whom it lets in goes at once; what it gives goes at the next sign-in.
          if (!next && env === undefined) setAsked(true);
          else if (!changing.isPending) changing.mutate();
        }}
      />
      {!isAsked && changing.error !== null && <ProblemBox error={changing.error} />}
      {isAsked && (
        <FormDialog
          title="Let nobody come in by it?"
          about="Sessions of those who came by it end now."
          isOpen
          onClose={() => setAsked(false)}
          submit={{ verb: 'Let nobody in', mutation: changing, isDangerous: true }}
        />
      )}
    </>
  );
}

function Delete({ of, onClose }: { readonly of: Provider; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const deleting = useChange({
    change: () => deleteProvider(of.id),
    touches: [['providers', 'list'], ['providers', 'activations'], ['identity-providers']],
    onDone: () => void navigate({ to: '/_org/sign-in' }),
    said: () => ({ text: `${of.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${of.name}?`}
      about="What its mapping gave goes, and sessions of those who came by it end. Its users stay, and cannot come in."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete identity provider', mutation: deleting, isDangerous: true }}
    />
  );
}
