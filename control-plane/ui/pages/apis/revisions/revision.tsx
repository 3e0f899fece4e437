import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Tag as TagIcon, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../../api/change.ts';
import type { Schemas } from '../../../api/client.ts';
import { Problem } from '../../../api/problem.ts';
import { useRights } from '../../../api/rights.ts';
import { Button } from '../../../kit/button.tsx';
import { Effects, FormDialog } from '../../../kit/dialog.tsx';
import { Differences } from '../../../kit/differences.tsx';
import { SelectField, TextField } from '../../../kit/field.tsx';
import { Bar, Body, Facts, Panel, Unanswered } from '../../../kit/page.tsx';
import { Status, Tag } from '../../../kit/status.tsx';
import { Time } from '../../../kit/time.tsx';
import { Empty, ProblemBox } from '../../../kit/told.tsx';
import { Propagation } from './propagation.tsx';
import { label as writeLabel, listedRevisions, oneRevision, revisionChanges, rollBack } from './questions.ts';
import styles from './revisions.module.css';

const route = getRouteApi('/$env/apis/$api/revisions/$number');

/** One revision: how it reached gateways, what it changed, and the way back to it. */
export function ApiRevision() {
  const { env, api: id, number } = route.useParams();
  const { data, error } = useQuery(oneRevision({ env, id }, number));
  if (data === undefined && error !== null && Problem.of(error).status === 404)
    return (
      <Body>
        <Empty title="There is no such revision">Revision {number} of this API was never deployed.</Empty>
      </Body>
    );
  if (data === undefined) return <Unanswered error={error} />;
  return (
    <>
      <Bar
        title={`Revision ${data.number}`}
        status={
          <>
            {data.isCurrent ? (
              <Status tone="ok" isPill>
                In service
              </Status>
            ) : (
              <Status tone="idle" isPill>
                Replaced
              </Status>
            )}
            {data.label !== undefined && <Tag>{data.label}</Tag>}
          </>
        }
      >
        <Actions env={env} id={id} of={data} />
      </Bar>
      <Body>
        {data.isCurrent && <Propagation env={env} id={id} />}
        <Panel title="What it was">
          <Facts
            facts={[
              ['Deployed', <Time key="at" at={data.deployedAt} />],
              ['By', data.deployedBy.displayName ?? data.deployedBy.id],
            ]}
          />
        </Panel>
        <Changes env={env} id={id} of={data} />
      </Body>
    </>
  );
}

type Revision = Schemas['ApiRevision'];
interface Props {
  readonly env: string;
  readonly id: string;
  readonly of: Revision;
}

function Actions({ env, id, of }: Props) {
  const may = useRights({ env, api: id });
  const [asked, setAsked] = useState<'label' | 'back'>();
  if (!may('DEFINITION', 'U')) return null;
  const close = (): void => setAsked(undefined);
  return (
    <>
      <Button onClick={() => setAsked('label')}>
        <TagIcon size={14} aria-hidden />
        {of.label === undefined ? 'Label revision' : 'Change label'}
      </Button>
      {!of.isCurrent && (
        <Button onClick={() => setAsked('back')}>
          <Undo2 size={14} aria-hidden />
          Go back to it
        </Button>
      )}
      {asked === 'label' && <Label {...{ env, id, of }} onClose={close} />}
      {asked === 'back' && <GoBack {...{ env, id, of }} onClose={close} />}
    </>
  );
}

const labelCharsMax = 32;

function Label({ env, id, of, onClose }: Props & { readonly onClose: () => void }) {
  const [words, setWords] = useState(of.label ?? '');
  const labelling = useChange({
    change: () => writeLabel({ env, id }, String(of.number), words),
    touches: [['api', env, id, 'revisions']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Label revision ${of.number}`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Save label', mutation: labelling }}
    >
      <TextField
        label="Label"
        isOptional
        hint="A few words by which it is found, e.g. before the move"
        value={words}
        maxLength={labelCharsMax}
        autoFocus
        onChange={({ target: { value } }) => setWords(value)}
      />
    </FormDialog>
  );
}

function GoBack({ env, id, of, onClose }: Props & { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const { data } = useQuery(revisionChanges({ env, id }, String(of.number), 'current'));
  const goingBack = useChange({
    change: () => rollBack({ env, id }, of.number),
    touches: [['api', env, id]],
    onDone: () => {
      onClose();
      void navigate({ to: '/$env/apis/$api', params: { env, api: id } });
    },
  });
  return (
    <FormDialog
      title={`Go back to revision ${of.number}?`}
      about="The API is written as it was then. Gateways follow when you deploy it."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Go back', mutation: goingBack }}
    >
      <Effects
        effects={[
          [data === undefined ? '–' : String(data.differences.length), 'places become what they were'],
        ]}
      />
    </FormDialog>
  );
}

const comparedMax = 100;

/** What is otherwise in another revision, or would be in the next. */
function Changes({ env, id, of }: Props) {
  const { data: all } = useQuery(listedRevisions({ env, id }, 1, comparedMax));
  const others = (all?.data ?? []).filter(({ number }) => number !== of.number);
  // What it changed is what is asked most; the first one changed nothing.
  const former = others.find(({ number }) => number < of.number);
  const [chosen, setChosen] = useState<string>();
  const against = chosen ?? (former === undefined ? 'current' : String(former.number));
  const { data, error } = useQuery({
    ...revisionChanges({ env, id }, String(of.number), against),
    enabled: all !== undefined,
  });
  // What came first stands first.
  const isOlder = against !== 'current' && Number(against) < of.number;
  const differences = data?.differences.map(({ path, before, after }) =>
    isOlder ? { path, before: after, after: before } : { path, before, after },
  );
  const words = [
    isOlder ? `Revision ${against}` : `Revision ${of.number}`,
    isOlder ? `Revision ${of.number}` : against === 'current' ? 'Now' : `Revision ${against}`,
  ] as const;
  return (
    <Panel title="What differs">
      <div className={styles['changes']}>
        <SelectField
          label="Compared with"
          value={against}
          onChange={({ target: { value } }) => setChosen(value)}
          options={[
            ['current', 'what would be deployed now'],
            ...others.map(
              ({ number, label }) =>
                [String(number), `revision ${number}${label === undefined ? '' : `, ${label}`}`] as const,
            ),
          ]}
        />
        {error !== null && <ProblemBox error={error} />}
        {differences?.length === 0 && <p className="second">Nothing that concerns gateways.</p>}
        <Differences differences={differences ?? []} words={words} />
      </div>
    </Panel>
  );
}
