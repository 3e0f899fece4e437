import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useRights } from '../../api/rights.ts';
import { removeSamples, useSamples } from '../../api/samples.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { countOf } from '../../kit/numbers.ts';
import styles from './overview.module.css';

/** Says that what is seen are samples, and takes them away; nothing where there are none. */
export function Samples({ env }: { readonly env: string }) {
  const [isAsked, setAsked] = useState(false);
  const samples = useSamples(env);
  const may = useRights({ env });
  const removing = useChange({
    change: () => removeSamples(env),
    touches: [
      ['samples', env],
      ['apis', env],
      ['applications', env],
      ['subscriptions', env],
      ['traffic', env],
    ],
    onDone: () => setAsked(false),
  });
  if (samples.length === 0) return null;
  const held = (type: string): number => samples.filter((sample) => sample.type === type).length;
  const [apis, applications] = [held('API'), held('APPLICATION')];
  return (
    <div className={styles['samples']} role="note">
      <p>
        <b>There are samples here.</b> {countOf(apis, 'API')}, {countOf(applications, 'application')} and the
        calls of the first start, to look at; they are marked, and nothing of yours goes with them.
      </p>
      {may('SETTINGS', 'D') && <Button onClick={() => setAsked(true)}>Remove samples</Button>}
      <FormDialog
        title="Remove the samples?"
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        submit={{ verb: 'Remove samples', mutation: removing, isDangerous: true }}
      >
        <Effects
          effects={[
            [String(apis), 'APIs go, with plans, subscriptions, keys and records'],
            [String(applications), 'applications go, unless an API of yours has a subscription of theirs'],
          ]}
        />
      </FormDialog>
    </div>
  );
}
