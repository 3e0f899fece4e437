import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Layers } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../../../api/client.ts';
import { ToldDialog } from '../../../kit/dialog.tsx';
import { FilterBox } from '../../../kit/field.tsx';
import { blankSettings, type JsonSchema } from '../../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../../kit/told.tsx';
import { type Step, type StepPlace, withStep } from './flows.ts';
import { matching } from './matching.ts';
import { groupSteps, policies, policyForm } from './questions.ts';
import { PluginItem } from './plugin-item.tsx';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import type { Designing } from './use-design.ts';

/** The policies that may stand in a lane, to choose one from. */
export function AddStep({
  designing,
  place,
  groupsOf,
  onShow,
  onClose,
}: {
  readonly designing: Designing;
  /** The environment whose shared policy groups are offered as well; none are where a step may stand for none. */
  readonly groupsOf?: string | undefined;
  readonly place: StepPlace;
  readonly onShow: (shown: Shown) => void;
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const { data, error } = useQuery(policies);
  const [text, setText] = useState('');
  const [failed, setFailed] = useState<unknown>();
  const phase = place.lane === 'request' ? 'REQUEST' : 'RESPONSE';
  const found = matching(data?.filter(mayStandIn(phase)), text);
  const groups = useGroups(groupsOf, phase, text);
  const put = (step: Step): void => {
    designing.change(withStep(designing.design, place, { enabled: true, ...step }));
    onClose();
    onShow(place);
  };
  const add = async (policy: string): Promise<void> => {
    try {
      const schema = (await queries.fetchQuery(policyForm(policy))) as JsonSchema;
      put({ policy, configuration: blankSettings(schema) });
    } catch (refused) {
      setFailed(refused);
    }
  };
  return (
    <ToldDialog title={`Add a policy to the ${place.lane}`} isOpen onClose={onClose} done="Cancel">
      <FilterBox label="Filter policies" value={text} onChange={setText} autoFocus />
      {error !== null && <ProblemBox error={error} />}
      {failed !== undefined && <ProblemBox error={failed} />}
      {found?.length === 0 && groups.length === 0 && <p className="second">No policy matches.</p>}
      <ul className={styles['policies']}>
        {groups.map((group) => (
          <PluginItem
            key={`group ${group.id}`}
            picture={<Layers size={20} aria-hidden />}
            name={group.name}
            about={`Policy group${group.description === '' ? '' : `: ${group.description}`}`}
            onChoose={() =>
              put({
                name: group.name,
                policy: groupPolicy,
                configuration: { sharedPolicyGroupId: group.id },
              })
            }
          />
        ))}
        {found?.map(({ id, name, description, icon }) => (
          <PluginItem
            key={id}
            picture={<img src={icon} alt="" width="20" height="20" />}
            name={name}
            about={description}
            onChoose={() => void add(id)}
          />
        ))}
      </ul>
    </ToldDialog>
  );
}

type Phase = 'REQUEST' | 'RESPONSE';

const mayStandIn =
  (phase: Phase) =>
  ({ flowPhaseCompatibility }: Schemas['PolicyPlugin']): boolean =>
    flowPhaseCompatibility.HTTP_PROXY.includes(phase);

/** Of a policy that stands for the steps of a group. */
const groupPolicy = 'shared-policy-group-policy';

/** The groups of a phase that fit what was typed. */
function useGroups(env: string | undefined, phase: Phase, text: string) {
  const { data = [] } = useQuery({ ...groupSteps(env ?? ''), enabled: env !== undefined });
  const mine = data
    .filter((group) => group.phase === phase)
    .map(({ id, name, description = '' }) => ({ id, name, description, category: 'policy group' }));
  return matching(mine, text) ?? [];
}
