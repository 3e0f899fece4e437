import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { type Choosing, ChosenBar } from '../../kit/choosing.tsx';
import { TogetherDialog } from '../lists/together.tsx';
import { type Action, act } from './draft/deploying.tsx';

type Api = Schemas['ApiV4'];

const words: Readonly<Record<Action, readonly [verb: string, done: string]>> = {
  deploy: ['Deploy', 'deployed'],
  start: ['Start', 'started'],
  stop: ['Stop', 'stopped'],
};
const effects: Readonly<Record<Action, string>> = {
  deploy: 'are served as they are stored now, by all of their gateways',
  start: 'are served as they were deployed last',
  stop: 'answer nobody until they are started',
};

/** What can be done with several APIs of the list; which of them somebody may deploy, each says by itself. */
export function ApisTogether({ env, choosing }: { readonly env: string; readonly choosing: Choosing<Api> }) {
  const [asked, setAsked] = useState<{ readonly action: Action; readonly rows: readonly Api[] }>();
  const onDo = (action: Action) => (rows: readonly Api[]) => setAsked({ action, rows });
  return (
    <>
      <ChosenBar
        label="APIs"
        choosing={choosing}
        deeds={[
          { verb: 'Deploy', onDo: onDo('deploy') },
          { verb: 'Start', isFor: ({ state }) => state === 'STOPPED', onDo: onDo('start') },
          {
            verb: 'Stop',
            isFor: ({ state }) => state === 'STARTED',
            isDangerous: true,
            onDo: onDo('stop'),
          },
        ]}
      />
      {asked !== undefined && (
        <TogetherDialog
          rows={asked.rows}
          keyOf={choosing.keyOf}
          nameOf={choosing.nameOf}
          noun="API"
          words={words[asked.action]}
          effects={[[String(asked.rows.length), effects[asked.action]]]}
          isDangerous={asked.action === 'stop'}
          change={(of) => act(env, of, asked.action)}
          touches={[
            ['apis', env],
            ['api', env],
          ]}
          onDone={() => choosing.onChoose(new Set())}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
