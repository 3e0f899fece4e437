import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Copy } from '../../kit/copy.tsx';
import { CopyAs } from '../../kit/copy-as.tsx';
import { FailedDialog, FormDialog } from '../../kit/dialog.tsx';
import { shortId } from '../../kit/numbers.ts';
import { Body, PageHeader, Toolbar, Unanswered } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status } from '../../kit/status.tsx';
import { Note } from '../../kit/told.tsx';
import { GroupHistory, GroupUsers } from './policy-group-lists.tsx';
import {
  deletePolicyGroup,
  doWithPolicyGroup,
  onePolicyGroup,
  phaseWords,
  type PolicyGroup,
  stateOf,
} from './questions.ts';
import { GroupSteps } from './policy-group-steps.tsx';

const route = getRouteApi('/$env/policy-groups/$group');

/** One policy group: its steps, what was deployed of it, and the APIs that use it. */
export function PolicyGroupPage() {
  const { env, group: id } = route.useParams();
  const { data, error } = useQuery(onePolicyGroup(env, id));
  const may = useRights({ env });
  const [part, setPart] = useState<'steps' | 'history' | 'apis'>('steps');
  const [isWriting, setWriting] = useState(false);
  if (data === undefined) return <Unanswered title="Policy group" error={error} />;
  const group = data.data;
  const [tone, word] = stateOf(group);
  const isReadOnly = !may('SHARED_POLICY_GROUP', 'U');
  return (
    <>
      <PageHeader
        title={group.name}
        status={
          <Status tone={tone} isPill>
            {word}
          </Status>
        }
        sub={
          <>
            <Link to="/$env/policy-groups" params={{ env }}>
              All policy groups
            </Link>{' '}
            · {phaseWords[group.phase]} · <Copy text={group.crossId} shown={shortId(group.crossId)} />
          </>
        }
        actions={<Deeds env={env} of={group} isSaved={!isWriting} />}
      />
      <Toolbar>
        <Segments
          label="What is shown"
          segments={[
            ['steps', 'Steps'],
            ['history', 'History'],
            ...(isReadOnly ? [] : [['apis', 'Used by'] as const]),
          ]}
          value={part}
          onChoose={setPart}
        />
      </Toolbar>
      {isReadOnly && (
        <Body>
          <Note>
            You can read this. Changing it needs <b>SHARED_POLICY_GROUP, update</b> on the environment.
          </Note>
        </Body>
      )}
      {part === 'steps' && (
        <GroupSteps key={group.id} env={env} tagged={data} isReadOnly={isReadOnly} onWriting={setWriting} />
      )}
      {part === 'history' && <GroupHistory env={env} id={id} />}
      {part === 'apis' && <GroupUsers env={env} id={id} />}
    </>
  );
}

function Deeds({
  env,
  of,
  isSaved,
}: {
  readonly env: string;
  readonly of: PolicyGroup;
  readonly isSaved: boolean;
}) {
  const may = useRights({ env });
  const [asked, setAsked] = useState<'delete' | 'undeploy'>();
  const deploying = useChange({
    change: () => doWithPolicyGroup(env, of.id, 'deploy'),
    touches: [['policy-groups', env]],
    said: () => ({ text: `${of.name} is deployed` }),
  });
  return (
    <>
      <FailedDialog title="The policy group was not deployed" of={deploying} />
      {may('SHARED_POLICY_GROUP', 'D') && (
        <Button look="quiet" onClick={() => setAsked('delete')}>
          Delete policy group
        </Button>
      )}
      {may('SHARED_POLICY_GROUP', 'U') && of.lifecycleState !== 'UNDEPLOYED' && (
        <Button onClick={() => setAsked('undeploy')}>Take from gateways</Button>
      )}
      {may('SHARED_POLICY_GROUP', 'U') && of.lifecycleState !== 'DEPLOYED' && (
        <>
          <CopyAs change={deploying.change} />
          <Button
            look="primary"
            disabled={deploying.isPending || !isSaved}
            onClick={() => deploying.mutate()}
          >
            Deploy policy group
          </Button>
        </>
      )}
      {asked === 'undeploy' && <Undeploy env={env} of={of} onClose={() => setAsked(undefined)} />}
      {asked === 'delete' && <Delete env={env} of={of} onClose={() => setAsked(undefined)} />}
    </>
  );
}

interface AskedProps {
  readonly env: string;
  readonly of: PolicyGroup;
  readonly onClose: () => void;
}

function Undeploy({ env, of, onClose }: AskedProps) {
  const undeploying = useChange({
    change: () => doWithPolicyGroup(env, of.id, 'undeploy'),
    touches: [['policy-groups', env]],
    onDone: onClose,
    said: () => ({ text: `${of.name} is taken from gateways` }),
  });
  return (
    <FormDialog
      title={`Take ${of.name} from gateways?`}
      about="It is refused as long as a deployed API uses it."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Take from gateways', mutation: undeploying, isDangerous: true }}
    />
  );
}

function Delete({ env, of, onClose }: AskedProps) {
  const navigate = useNavigate();
  const deleting = useChange({
    change: () => deletePolicyGroup(env, of.id),
    touches: [['policy-groups', env, 'list']],
    onDone: () => void navigate({ to: '/$env/policy-groups', params: { env } }),
    said: () => ({ text: `${of.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${of.name}?`}
      about="Nothing brings it back. It is refused as long as a deployed API uses it."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete policy group', mutation: deleting, isDangerous: true }}
    />
  );
}
