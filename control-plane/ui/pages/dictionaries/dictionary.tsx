import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Copy } from '../../kit/copy.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { shortId } from '../../kit/numbers.ts';
import { Body, Columns, Facts, PageHeader, Panel, Unanswered } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { Note, ProblemBox } from '../../kit/told.tsx';
import {
  deleteDictionary,
  type Dictionary,
  type DictionaryDeed,
  doWithDictionary,
  oneDictionary,
  stateOf,
} from './questions.ts';
import { Source, Words } from './words.tsx';

const route = getRouteApi('/$env/dictionaries/$dictionary');

/** One dictionary: its words, and whether gateways have them. */
export function DictionaryPage() {
  const { env, dictionary: id } = route.useParams();
  const { data, error } = useQuery(oneDictionary(env, id));
  const may = useRights({ env });
  if (data === undefined) return <Unanswered title="Dictionary" error={error} />;
  const [tone, word] = stateOf(data);
  const isReadOnly = !may('DICTIONARY', 'U');
  return (
    <>
      <PageHeader
        title={data.name}
        status={
          <Status tone={tone} isPill>
            {word}
          </Status>
        }
        sub={
          <Link to="/$env/dictionaries" params={{ env }}>
            All dictionaries
          </Link>
        }
        actions={<Deeds env={env} of={data} />}
      />
      <Body>
        {isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>DICTIONARY, update</b> on the environment.
          </Note>
        )}
        {data.last_fetch?.problem !== undefined && (
          <div role="status">
            <Status tone="bad">
              The last fetch failed: {data.last_fetch.problem}. The words before it stay.
            </Status>
          </div>
        )}
        <Columns>
          {data.type === 'DYNAMIC' && (
            <Panel title="Where they come from">
              <Source key={data.updated_at} env={env} of={data} isReadOnly={isReadOnly} />
            </Panel>
          )}
          <Panel title="What it is">
            <Facts facts={factsOf(data)} />
          </Panel>
        </Columns>
        <Words key={data.id} env={env} of={data} isReadOnly={isReadOnly || data.type === 'DYNAMIC'} />
      </Body>
    </>
  );
}

const factsOf = (of: Dictionary) =>
  [
    ['Named in expressions', <Copy key="use" text={`{#dictionaries['${of.key}']['word']}`} />],
    ...(of.description === undefined ? [] : [['Description', of.description] as const]),
    [
      'Gateways have them',
      of.deployed_at === undefined ? 'not yet' : <Time key="deployed" at={of.deployed_at} />,
    ],
    ...(of.last_fetch?.fetched_at === undefined
      ? []
      : [['Fetched', <Time key="fetched" at={of.last_fetch.fetched_at} />] as const]),
    ['Changed', <Time key="changed" at={of.updated_at} />],
    ['Id', <Copy key="id" text={of.id} shown={shortId(of.id)} />],
  ] as const;

const verbs: Readonly<Record<DictionaryDeed, string>> = {
  deploy: 'Deploy words',
  undeploy: 'Take from gateways',
  start: 'Start fetching',
  stop: 'Stop fetching',
};

/** What it is then. */
const done: Readonly<Record<DictionaryDeed, string>> = {
  deploy: 'deployed',
  undeploy: 'taken from gateways',
  start: 'fetched from now on',
  stop: 'fetched no more',
};

function Deeds({ env, of }: { readonly env: string; readonly of: Dictionary }) {
  const [isDeleting, setDeleting] = useState(false);
  const may = useRights({ env });
  const isServed = of.type === 'DYNAMIC' ? of.state === 'STARTED' : of.deployed_at !== undefined;
  const isAhead = of.type === 'MANUAL' && (of.deployed_at === undefined || of.updated_at > of.deployed_at);
  return (
    <>
      {may('DICTIONARY', 'D') && (
        <Button look="quiet" onClick={() => setDeleting(true)}>
          Delete dictionary
        </Button>
      )}
      {may('DICTIONARY', 'U') && isServed && (
        <Do env={env} of={of} deed={of.type === 'DYNAMIC' ? 'stop' : 'undeploy'} />
      )}
      {may('DICTIONARY', 'U') && of.type === 'DYNAMIC' && !isServed && <Do env={env} of={of} deed="start" />}
      {may('DICTIONARY', 'U') && isAhead && <Do env={env} of={of} deed="deploy" />}
      {isDeleting && <Delete env={env} of={of} onClose={() => setDeleting(false)} />}
    </>
  );
}

/** What gives gateways words is done at once; what takes them away is asked for. */
function Do({
  env,
  of,
  deed,
}: {
  readonly env: string;
  readonly of: Dictionary;
  readonly deed: DictionaryDeed;
}) {
  const [isAsked, setAsked] = useState(false);
  const doing = useChange({
    change: () => doWithDictionary(env, of.id, deed),
    touches: [['dictionaries', env]],
    onDone: () => setAsked(false),
    said: () => ({ text: `${of.name} is ${done[deed]}` }),
  });
  const takes = deed === 'undeploy' || deed === 'stop';
  return (
    <>
      {!takes && doing.error !== null && <ProblemBox error={doing.error} />}
      <Button
        look={takes ? 'plain' : 'primary'}
        disabled={doing.isPending}
        onClick={() => (takes ? setAsked(true) : doing.mutate())}
      >
        {verbs[deed]}
      </Button>
      {isAsked && (
        <FormDialog
          title={`${verbs[deed]}: ${of.name}?`}
          about="Whatever names its words finds none of them from the next request on."
          isOpen
          onClose={() => setAsked(false)}
          submit={{ verb: verbs[deed], mutation: doing, isDangerous: true }}
        />
      )}
    </>
  );
}

function Delete({
  env,
  of,
  onClose,
}: {
  readonly env: string;
  readonly of: Dictionary;
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const deleting = useChange({
    change: () => deleteDictionary(env, of.id),
    touches: [['dictionaries', env, 'list']],
    onDone: () => void navigate({ to: '/$env/dictionaries', params: { env } }),
    said: () => ({ text: `${of.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${of.name}?`}
      about="Nothing brings it back. Whatever names its words finds none of them."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete dictionary', mutation: deleting, isDangerous: true }}
    />
  );
}
