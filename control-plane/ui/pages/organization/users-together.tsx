import { useState } from 'react';
import { type Choosing, ChosenBar } from '../../kit/choosing.tsx';
import { TogetherDialog } from '../lists/together.tsx';
import { setEnabled, type User } from './questions.ts';

/** What can be done with several users of the list. */
export function UsersTogether({ choosing }: { readonly choosing: Choosing<User> }) {
  const [asked, setAsked] = useState<{ readonly isOn: boolean; readonly rows: readonly User[] }>();
  const tokens = asked?.rows.reduce((sum, user) => sum + user.number_of_active_tokens, 0) ?? 0;
  return (
    <>
      <ChosenBar
        label="users"
        choosing={choosing}
        deeds={[
          {
            verb: 'Enable',
            isFor: ({ status }) => status === 'DISABLED',
            onDo: (rows) => setAsked({ isOn: true, rows }),
          },
          {
            verb: 'Disable',
            isFor: ({ status }) => status === 'ACTIVE',
            isDangerous: true,
            onDo: (rows) => setAsked({ isOn: false, rows }),
          },
        ]}
      />
      {asked !== undefined && (
        <TogetherDialog
          rows={asked.rows}
          keyOf={choosing.keyOf}
          nameOf={choosing.nameOf}
          noun="user"
          words={asked.isOn ? ['Enable', 'enabled'] : ['Disable', 'disabled']}
          effects={
            asked.isOn
              ? undefined
              : [
                  ['all', 'their sessions end at once'],
                  [String(tokens), 'tokens open nothing until they are enabled again'],
                ]
          }
          isDangerous={!asked.isOn}
          change={(user) => setEnabled(user, asked.isOn)}
          touches={[['users'], ['people']]}
          onDone={() => choosing.onChoose(new Set())}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
