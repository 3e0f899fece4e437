import { useQuery } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { TextField } from '../../kit/field.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { doWith, type Key, keysOf, type Side, type Subscription, useSubscriptionChange } from './side.ts';

/** As what was done says it. */
const nameOf = ({ application }: Subscription): string =>
  application.name === undefined ? 'The subscription' : `The subscription of ${application.name}`;

interface Asked {
  readonly side: Side;
  readonly subscription: Subscription;
  readonly onClose: () => void;
}

/** Accepts what was asked for, until a day if one is named. */
export function Accept({
  side,
  subscription,
  onClose,
  onKey,
}: Asked & { readonly onKey: (key: Key | undefined) => void }) {
  const [reason, setReason] = useState('');
  const [end, setEnd] = useState('');
  const accepting = useSubscriptionChange(
    side.env,
    () =>
      doWith(side, subscription.id, {
        verb: 'accept',
        ...(reason !== '' && { reason }),
        ...(end !== '' && { endingAt: new Date(end).toISOString() }),
      }),
    {
      onDone: (accepted) => {
        onClose();
        onKey(accepted?.apiKey);
      },
      said: () => ({ text: `${nameOf(subscription)} is accepted` }),
    },
  );
  return (
    <FormDialog
      title={`Accept ${subscription.application.name ?? 'the application'}?`}
      about={
        subscription.plan.security?.type === 'API_KEY'
          ? 'A key is made for it, and shown once.'
          : 'It may call the API as soon as gateways have heard of it.'
      }
      isOpen
      onClose={onClose}
      submit={{ verb: 'Accept subscription', mutation: accepting }}
    >
      <TextField
        label="Ends"
        hint="By the clock of this browser; empty for never"
        type="datetime-local"
        value={end}
        onChange={(event) => setEnd(event.target.value)}
        isOptional
      />
      <Message value={reason} onChange={setReason} />
    </FormDialog>
  );
}

export function Reject({ side, subscription, onClose }: Asked) {
  const [reason, setReason] = useState('');
  const rejecting = useSubscriptionChange(
    side.env,
    () => doWith(side, subscription.id, { verb: 'reject', ...(reason !== '' && { reason }) }),
    { onDone: onClose, said: () => ({ text: `${nameOf(subscription)} is rejected` }) },
  );
  return (
    <FormDialog
      title={`Reject ${subscription.application.name ?? 'the application'}?`}
      about="It cannot be accepted later; the application may subscribe again."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Reject subscription', mutation: rejecting, isDangerous: true }}
    >
      <Message value={reason} onChange={setReason} />
    </FormDialog>
  );
}

function Message({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <TextField
      label="Message"
      hint="Those of the application read it"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      maxLength={1_024}
      isOptional
    />
  );
}

export function Close({ side, subscription, onClose }: Asked) {
  const { data: keys } = useQuery(keysOf(side, subscription.id));
  const closing = useSubscriptionChange(side.env, () => doWith(side, subscription.id, { verb: 'close' }), {
    onDone: onClose,
    said: () => ({ text: `${nameOf(subscription)} is closed` }),
  });
  const isByKey = subscription.plan.security?.type === 'API_KEY';
  const live = keys?.filter(({ revoked, expired }) => !revoked && !expired).length;
  return (
    <FormDialog
      title="Close the subscription?"
      isOpen
      onClose={onClose}
      submit={{ verb: 'Close subscription', mutation: closing, isDangerous: true }}
    >
      <Effects
        effects={[
          [
            '1',
            `application loses access at once: ${subscription.application.name ?? subscription.application.id}`,
          ],
          ...(isByKey
            ? [[live === undefined ? '–' : String(live), 'keys stop working, none can be restored'] as const]
            : []),
        ]}
      />
    </FormDialog>
  );
}

/** Calls are refused until somebody resumes it. */
export function PauseDialog({ side, subscription, onClose }: Asked) {
  const pausing = useSubscriptionChange(side.env, () => doWith(side, subscription.id, { verb: 'pause' }), {
    onDone: onClose,
    said: () => ({
      text: `${nameOf(subscription)} is paused`,
      undo: () => doWith(side, subscription.id, { verb: 'resume' }),
    }),
  });
  return (
    <FormDialog
      title="Pause the subscription?"
      about={`Calls of ${subscription.application.name ?? 'the application'} are refused until it is resumed. Its keys stay.`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Pause subscription', mutation: pausing }}
    />
  );
}

/** Takes effect at once: nothing is lost by it. */
export function Resume({ side, subscription }: Omit<Asked, 'onClose'>) {
  const resuming = useSubscriptionChange(side.env, () => doWith(side, subscription.id, { verb: 'resume' }), {
    said: () => ({ text: `${nameOf(subscription)} is in force again` }),
  });
  return (
    <>
      {resuming.error !== null && <ProblemBox error={resuming.error} />}
      <Button look="primary" disabled={resuming.isPending} onClick={() => resuming.mutate()}>
        <Play size={14} aria-hidden />
        Resume
      </Button>
    </>
  );
}
