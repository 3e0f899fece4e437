import { useQuery } from '@tanstack/react-query';
import { Redo2, Route, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../../api/change.ts';
import { Problem } from '../../../api/problem.ts';
import { useOrganizationRights } from '../../../api/rights.ts';
import { environments } from '../../../api/session.ts';
import { Button, IconButton } from '../../../kit/button.tsx';
import { Effects, FormDialog, ToldDialog } from '../../../kit/dialog.tsx';
import { SelectField, SwitchField } from '../../../kit/field.tsx';
import { now } from '../../../kit/now.ts';
import { PageHeader, SaveBar, Unanswered } from '../../../kit/page.tsx';
import { Status } from '../../../kit/status.tsx';
import { Empty, Note, ProblemBox } from '../../../kit/told.tsx';
import { FlowList } from '../../apis/design/flow-list.tsx';
import { flowsOf } from '../../apis/design/flows.ts';
import { begun, changed, type History, redone, undone } from '../../apis/design/history.ts';
import { Lanes } from '../../apis/design/lanes.tsx';
import { Side } from '../../apis/design/side.tsx';
import type { Shown } from '../../apis/design/studio.tsx';
import styles from '../../apis/design/studio.module.css';
import draft from '../../apis/draft/draft.module.css';
import type { Designing } from '../../apis/design/use-design.ts';
import { type KeptPolicies, organizationPolicies, type Policies, savePolicies } from './questions.ts';

/** What requests of all APIs pass, before their API and after it. */
export function OrganizationPolicies() {
  const may = useOrganizationRights();
  const isShown = may('POLICIES', 'R');
  const { data, error, dataUpdatedAt } = useQuery({ ...organizationPolicies, enabled: isShown });
  if (!isShown)
    return (
      <Empty title="The policies of the organization are not shown to you" isPage>
        They are for those who hold POLICIES, read on the organization. Its administrators give it.
      </Empty>
    );
  if (data === undefined) return <Unanswered title="Policies of the organization" error={error} />;
  return <Studio key={dataUpdatedAt} kept={data} isReadOnly={!may('POLICIES', 'U')} />;
}

const owners = [['api', 'All APIs']] as const;
/** Nothing is tried here: which API a request would take is not known. */
const untried: ReadonlyMap<string, never> = new Map<string, never>();

function Studio({ kept, isReadOnly }: { readonly kept: KeptPolicies; readonly isReadOnly: boolean }) {
  const [history, setHistory] = useState<History<Policies>>(() => begun(kept.policies));
  const [shown, setShown] = useState<Shown>({ owner: 'api', flow: 0 });
  const [asked, setAsked] = useState<'save' | 'choice'>();
  const policies = history.now;
  const saving = useChange({
    change: () => savePolicies(kept, policies),
    touches: [['organization']],
    onDone: () => setAsked(undefined),
  });
  const set = (part: Partial<Policies>, subject?: string): void => {
    saving.reset();
    setHistory((before) =>
      changed(before, { ...before.now, ...part }, { atMs: now(), ...(subject !== undefined && { subject }) }),
    );
  };
  const designing = designOf({ history, error: saving.error, set, step: setHistory });
  return (
    <>
      <Head {...{ designing, isReadOnly }} inForce={kept.policies} onChoose={() => setAsked('choice')} />
      {isReadOnly && (
        <div className={draft['note']}>
          <Note>
            You can read this. Changing it needs <b>POLICIES, update</b> on the organization.
          </Note>
        </div>
      )}
      <div className={styles['studio']}>
        <div className={styles['panes']}>
          <FlowList {...{ designing, shown, isReadOnly, owners }} onShow={setShown} />
          <Lanes
            {...{ designing, shown, isReadOnly }}
            on="all APIs of all environments"
            end={<Apis />}
            lights={untried}
            onShow={setShown}
          />
          <Side
            {...{ designing, shown, isReadOnly }}
            pathHint="Below the path of each API, e.g. /orders/:id"
            onShow={setShown}
          />
        </div>
        {asked === undefined && saving.error !== null && (
          <div className={draft['refused']}>
            <ProblemBox error={saving.error} />
          </div>
        )}
        {policies !== kept.policies && (
          <SaveBar>
            <Button onClick={() => setHistory(begun(kept.policies))}>Discard</Button>
            <Button look="primary" onClick={() => setAsked('save')}>
              Put in force
            </Button>
          </SaveBar>
        )}
      </div>
      {asked === 'save' && <PutInForce {...{ saving, policies }} onClose={() => setAsked(undefined)} />}
      {asked === 'choice' && (
        <Choice {...{ policies, isReadOnly }} onChange={set} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function Head({
  designing: { undo, redo },
  inForce: { flows, flowMode, matchRequired },
  isReadOnly,
  onChoose,
}: {
  readonly designing: Designing;
  readonly inForce: Policies;
  readonly isReadOnly: boolean;
  readonly onChoose: () => void;
}) {
  const isForced = flows.length > 0 || matchRequired;
  return (
    <PageHeader
      title="Policies"
      status={
        <Status tone={isForced ? 'ok' : 'idle'} isPill>
          {isForced ? 'For all APIs' : 'None'}
        </Status>
      }
      sub={flowMode === 'BEST_MATCH' ? 'Of the flows that take a request, the best match runs' : undefined}
      actions={
        <>
          {!isReadOnly && (
            <>
              <IconButton label="Undo" disabled={undo === undefined} onClick={undo}>
                <Undo2 size={16} aria-hidden />
              </IconButton>
              <IconButton label="Redo" disabled={redo === undefined} onClick={redo}>
                <Redo2 size={16} aria-hidden />
              </IconButton>
            </>
          )}
          <Button onClick={onChoose}>Which flows run</Button>
        </>
      }
    />
  );
}

/** What lies between the lanes: whatever the environments hold. */
const Apis = () => (
  <div className={styles['backend']}>
    <Route size={18} aria-hidden />
    <b>Every API</b>
    <span className="quiet">its plan, its flows, its backend</span>
  </div>
);

/** How the flows are chosen, for all of them. */
function Choice({
  policies: { flowMode, matchRequired },
  isReadOnly,
  onChange,
  onClose,
}: {
  readonly policies: Policies;
  readonly isReadOnly: boolean;
  readonly onChange: (part: Partial<Policies>) => void;
  readonly onClose: () => void;
}) {
  return (
    <ToldDialog title="Which flows run" isOpen onClose={onClose}>
      <fieldset disabled={isReadOnly} className={styles['form']}>
        <SelectField
          label="Of the flows that take a request"
          value={flowMode}
          options={[
            ['DEFAULT', 'all run, in their order'],
            ['BEST_MATCH', 'the one whose path fits best runs'],
          ]}
          onChoose={(next) => onChange({ flowMode: next })}
        />
        <SwitchField
          label="Refuse what no flow takes"
          hint="A request that none of these flows takes is answered with 404, whatever its API says"
          isOn={matchRequired}
          onChange={(isOn) => onChange({ matchRequired: isOn })}
        />
      </fieldset>
    </ToldDialog>
  );
}

function PutInForce({
  saving,
  policies: { flows },
  onClose,
}: {
  readonly saving: Parameters<typeof FormDialog>[0]['submit']['mutation'];
  readonly policies: Policies;
  readonly onClose: () => void;
}) {
  const { data } = useQuery(environments);
  const count = data?.pagination.totalCount;
  const on = flows.filter(({ enabled }) => enabled !== false).length;
  return (
    <FormDialog
      title="Put these policies in force?"
      about="There is no draft of them: gateways have them within seconds, without a deployment of any API."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Put in force', mutation: saving, isDangerous: true }}
    >
      <Effects
        effects={[
          [String(on), on === 1 ? 'flow is enabled' : 'flows are enabled'],
          [
            count === undefined ? '–' : String(count),
            `${count === 1 ? 'environment' : 'environments'}, with all of their APIs`,
          ],
        ]}
      />
    </FormDialog>
  );
}

/** What the studio's parts write to: flows as those of an API that stands for all. */
function designOf({
  history,
  error,
  set,
  step,
}: {
  readonly history: History<Policies>;
  readonly error: Error | null;
  readonly set: (part: Partial<Policies>, subject?: string) => void;
  readonly step: (next: (history: History<Policies>) => History<Policies>) => void;
}): Designing {
  return {
    design: { api: { flows: history.now.flows }, plans: {} },
    saving: { kind: 'kept' },
    savedAt: undefined,
    faults: { api: error === null ? [] : Problem.of(error).details },
    change: (design, subject) => set({ flows: flowsOf(design, 'api') }, subject),
    undo: history.past.length === 0 ? undefined : () => step(undone),
    redo: history.future.length === 0 ? undefined : () => step(redone),
    retry: () => undefined,
  };
}
