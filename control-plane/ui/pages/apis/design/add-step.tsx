import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ToldDialog } from '../../../kit/dialog.tsx';
import { FilterBox } from '../../../kit/field.tsx';
import { blankOf, isObject, type JsonSchema } from '../../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../../kit/told.tsx';
import { type StepPlace, withStep } from './flows.ts';
import { matching } from './matching.ts';
import { policies, policyForm } from './questions.ts';
import type { Shown } from './studio.tsx';
import styles from './studio.module.css';
import type { Designing } from './use-design.ts';

/** The policies that may stand in a lane, to choose one from. */
export function AddStep({
  designing,
  place,
  onShow,
  onClose,
}: {
  readonly designing: Designing;
  readonly place: StepPlace;
  readonly onShow: (shown: Shown) => void;
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const { data, error } = useQuery(policies);
  const [text, setText] = useState('');
  const [failed, setFailed] = useState<unknown>();
  const phase = place.lane === 'request' ? 'REQUEST' : 'RESPONSE';
  const found = matching(
    data?.filter(({ flowPhaseCompatibility }) => flowPhaseCompatibility.HTTP_PROXY.includes(phase)),
    text,
  );
  const add = async (policy: string): Promise<void> => {
    try {
      const schema = (await queries.fetchQuery(policyForm(policy))) as JsonSchema;
      const blank = blankOf({ ...schema, default: undefined });
      const configuration = isObject(blank) ? blank : {};
      designing.change(withStep(designing.design, place, { policy, enabled: true, configuration }));
      onClose();
      onShow(place);
    } catch (refused) {
      setFailed(refused);
    }
  };
  return (
    <ToldDialog title={`Add a policy to the ${place.lane}`} isOpen onClose={onClose} done="Cancel">
      <FilterBox label="Filter policies" value={text} onChange={setText} autoFocus />
      {error !== null && <ProblemBox error={error} />}
      {failed !== undefined && <ProblemBox error={failed} />}
      {found?.length === 0 && <p className="second">No policy matches.</p>}
      <ul className={styles['policies']}>
        {found?.map(({ id, name, description, icon }) => (
          <li key={id}>
            <button type="button" onClick={() => void add(id)}>
              <img src={icon} alt="" width="20" height="20" />
              <span>
                <b>{name}</b>
                <span className="second">{description}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </ToldDialog>
  );
}
