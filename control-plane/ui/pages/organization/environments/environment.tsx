import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../../api/change.ts';
import { Problem } from '../../../api/problem.ts';
import { useOrganizationRights } from '../../../api/rights.ts';
import { Button } from '../../../kit/button.tsx';
import { Copy } from '../../../kit/copy.tsx';
import { FormDialog } from '../../../kit/dialog.tsx';
import { TextField } from '../../../kit/field.tsx';
import { Body, Columns, Facts, PageHeader, Panel, Unanswered } from '../../../kit/page.tsx';
import { Note, ProblemBox } from '../../../kit/told.tsx';
import { Unsaved } from '../../../kit/unsaved.tsx';
import styles from '../../account/account.module.css';
import { allFleets } from '../fleet-questions.ts';
import { archiveEnvironment, type Environment, oneEnvironment, renameEnvironment } from './questions.ts';
import { Quotas } from './quotas.tsx';

const route = getRouteApi('/_org/environments/$environment');

/** One environment: what it is called, what it holds, and who serves it. */
export function EnvironmentPage() {
  const { environment: id } = route.useParams();
  const { data, error } = useQuery(oneEnvironment(id));
  const may = useOrganizationRights();
  const [isArchiving, setArchiving] = useState(false);
  if (data === undefined) return <Unanswered title="Environment" error={error} />;
  const isReadOnly = !may('ENVIRONMENT', 'U');
  return (
    <>
      <PageHeader
        title={data.name}
        sub={<Link to="/_org/environments">All environments</Link>}
        actions={
          may('ENVIRONMENT', 'D') && (
            <Button look="quiet" onClick={() => setArchiving(true)}>
              Archive environment
            </Button>
          )
        }
      />
      <Body>
        {isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>ENVIRONMENT, update</b> on the organization.
          </Note>
        )}
        <Columns>
          <Panel title="What it is called">
            <Names key={`${data.name} ${data.description}`} of={data} isReadOnly={isReadOnly} />
          </Panel>
          <Panel title="What it is">
            <Facts
              facts={[
                ['In addresses', <Copy key="hrid" text={data.hrids[0] ?? data.id} />],
                ['Id', <Copy key="id" text={data.id} />],
                ['Served by', may('FLEET', 'R') ? <Fleets key="fleets" id={data.id} /> : '–'],
              ]}
            />
          </Panel>
        </Columns>
        <Quotas env={data.id} />
      </Body>
      {isArchiving && <Archive of={data} onClose={() => setArchiving(false)} />}
    </>
  );
}

/** The fleets whose gateways serve it. */
function Fleets({ id }: { readonly id: string }) {
  const { data } = useQuery(allFleets);
  const serving = data?.data.filter(({ environments }) => environments.includes(id)) ?? [];
  if (data === undefined) return '–';
  if (serving.length === 0) return 'no fleet yet';
  return serving.map(({ id: fleet, name }, at) => (
    <span key={fleet}>
      {at > 0 && ', '}
      <Link to="/_org/fleets/$fleet" params={{ fleet }} className="link">
        {name}
      </Link>
    </span>
  ));
}

function Names({ of, isReadOnly }: { readonly of: Environment; readonly isReadOnly: boolean }) {
  const [name, setName] = useState(of.name);
  const [description, setDescription] = useState(of.description);
  const saving = useChange({
    change: () => renameEnvironment(of.id, { name, description }),
    touches: [['environments']],
  });
  const isChanged = name !== of.name || description !== of.description;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged && !saving.isPending) saving.mutate();
      }}
    >
      <fieldset className={styles['rows']} disabled={isReadOnly}>
        <TextField
          label="Name"
          value={name}
          maxLength={256}
          error={Problem.at(saving.error, 'name')}
          onChange={({ target: { value } }) => setName(value)}
        />
        <TextField
          label="Description"
          isOptional
          value={description}
          maxLength={4_096}
          error={Problem.at(saving.error, 'description')}
          onChange={({ target: { value } }) => setDescription(value)}
        />
        {saving.error !== null && <ProblemBox error={saving.error} />}
        {isChanged && (
          <div className={styles['end']}>
            <Unsaved />
            <Button type="submit" look="primary" disabled={saving.isPending || name.trim() === ''}>
              Save environment
            </Button>
          </div>
        )}
      </fieldset>
    </form>
  );
}

function Archive({ of, onClose }: { readonly of: Environment; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const archiving = useChange({
    change: () => archiveEnvironment(of.id),
    touches: [['environments']],
    onDone: () => void navigate({ to: '/_org/environments' }),
  });
  return (
    <FormDialog
      title={`Archive ${of.name}?`}
      about="For good: nobody works in it any more. It must have no APIs, no applications in use, and no fleet that serves it. Its audit and records stay."
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Archive environment',
        mutation: archiving,
        isDangerous: true,
        isReady: typed === of.name,
      }}
    >
      <TextField
        label="Type the name of the environment"
        value={typed}
        autoComplete="off"
        onChange={({ target: { value } }) => setTyped(value)}
      />
    </FormDialog>
  );
}
