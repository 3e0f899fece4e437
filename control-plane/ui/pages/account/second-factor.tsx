import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { Panel } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import styles from './account.module.css';
import { CodeField, PasswordField, RecoveryCodes, SetUp } from './set-up.tsx';

const params = { path: { orgId: organization } };
const path = '/management/organizations/{orgId}/user/secondFactor';

const secondFactor = queryOptions({
  queryKey: ['second-factor'],
  queryFn: () => answerOf(api.GET(path, { params })),
});

/** How it stands with the reader's own second factor, and what he can do about it. */
export function SecondFactor() {
  const { data, error } = useQuery(secondFactor);
  const [asked, setAsked] = useState<'set-up' | 'codes' | 'off'>();
  const [codes, setCodes] = useState<readonly string[]>();
  const onClose = () => setAsked(undefined);
  // Who comes by an identity provider has it there.
  if (data?.available === false) return null;
  return (
    <Panel title="Second factor">
      {error !== null && <ProblemBox error={error} />}
      {data !== undefined && (
        <div className={styles['factor']}>
          <div>
            {data.enabled ? (
              <>
                <Status tone="ok">Set up</Status>{' '}
                <span className="second">
                  {data.confirmed_at !== undefined && <Time at={data.confirmed_at} />},{' '}
                  {data.recoveryCodesLeft} recovery codes left
                </span>
              </>
            ) : (
              <>
                <Status tone="idle">None</Status>{' '}
                <span className="second">The password opens everything by itself.</span>
              </>
            )}
          </div>
          <div className={styles['end']}>
            {data.enabled && !data.required && (
              <Button look="quiet" onClick={() => setAsked('off')}>
                Turn off
              </Button>
            )}
            {data.enabled && <Button onClick={() => setAsked('codes')}>New recovery codes</Button>}
            {!data.enabled && <Button onClick={() => setAsked('set-up')}>Set up</Button>}
          </div>
        </div>
      )}
      {asked === 'set-up' && <SetUp onClose={onClose} onDone={onClose} />}
      {asked === 'codes' && <NewCodes onClose={onClose} onMade={setCodes} />}
      {asked === 'off' && <TurnOff onClose={onClose} />}
      {codes !== undefined && <RecoveryCodes codes={codes} onClose={() => setCodes(undefined)} />}
    </Panel>
  );
}

function NewCodes({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: (codes: readonly string[]) => void;
}) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const making = useChange({
    change: () =>
      answerOf(api.POST(`${path}/recoveryCodes`, { params, body: { currentPassword: password, code } })),
    touches: [['second-factor']],
    onDone: ({ recoveryCodes }) => {
      onClose();
      onMade(recoveryCodes);
    },
  });
  return (
    <FormDialog
      title="New recovery codes"
      about="Those that are left count no more."
      isOpen
      onClose={onClose}
      submit={{
        isSecret: true,
        verb: 'Make codes',
        mutation: making,
        isReady: password !== '' && code !== '',
        others: [],
      }}
    >
      <PasswordField value={password} error={making.error} onChange={setPassword} />
      <CodeField hint={codeHint} value={code} error={making.error} onChange={setCode} />
    </FormDialog>
  );
}

const codeHint = 'Six digits of your app, or a recovery code';

function TurnOff({ onClose }: { readonly onClose: () => void }) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const turningOff = useChange({
    change: () =>
      answerOf(api.POST(`${path}/_disable`, { params, body: { currentPassword: password, code } })),
    touches: [['second-factor'], ['users']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Turn the second factor off?"
      about="The password opens everything by itself again."
      isOpen
      onClose={onClose}
      submit={{
        isSecret: true,
        verb: 'Turn off',
        mutation: turningOff,
        isReady: password !== '' && code !== '',
        isDangerous: true,
        others: [],
      }}
    >
      <PasswordField value={password} error={turningOff.error} onChange={setPassword} />
      <CodeField hint={codeHint} value={code} error={turningOff.error} onChange={setCode} />
    </FormDialog>
  );
}
