import { useQuery } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { ChosenBar, useChoosing } from '../../kit/choosing.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { Panel } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { TogetherDialog } from '../lists/together.tsx';
import {
  isShared,
  type Key,
  keysOf,
  keyStateOf,
  renewKey,
  revokeKey,
  type Side,
  type Subscription,
  useSubscriptionChange,
} from './side.ts';

/** The keys of a subscription; none is shown, a fingerprint tells them apart in lists and logs. */
export function Keys({
  side,
  subscription,
  onKey,
}: {
  readonly side: Side;
  readonly subscription: Subscription;
  readonly onKey: (key: Key) => void;
}) {
  const { data, error } = useQuery(keysOf(side, subscription.id));
  const [asked, setAsked] = useState<'renew' | Key>();
  const isOfAll = isShared(subscription);
  const held = useRights({ env: side.env, [side.of]: side.id })('SUBSCRIPTION', 'U');
  // One that opens other APIs too is not for the publisher of one of them.
  const may = held && (side.of === 'application' || !isOfAll);
  const dialog = { side, subscription, onClose: () => setAsked(undefined) };
  const choosing = useChoosing(
    data?.filter(isLive),
    ({ id }) => id,
    ({ hash8 }) => hash8,
  );
  const [several, setSeveral] = useState<readonly Key[]>();
  const canRenew = may && subscription.status === 'ACCEPTED';
  return (
    <Panel
      title={isOfAll ? 'Keys of the application, for all its subscriptions' : 'Keys'}
      isBare
      end={
        canRenew && (
          <Button size="small" onClick={() => setAsked('renew')}>
            <KeyRound size={14} aria-hidden />
            Renew key
          </Button>
        )
      }
    >
      <DataTable
        label="Keys"
        isInner
        rows={data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(may, setAsked)}
        choosing={may && choosing.all.length > 1 ? choosing : undefined}
        empty={<p className="second inset">No key has been made: accepting the subscription makes one.</p>}
      />
      <ChosenBar
        label="keys"
        choosing={choosing}
        deeds={[{ verb: 'Revoke', isDangerous: true, onDo: setSeveral }]}
      />
      {several !== undefined && (
        <RevokeSeveral {...{ side, subscription, several }} onClose={() => setSeveral(undefined)} />
      )}
      {asked === 'renew' && <Renew {...dialog} onKey={onKey} />}
      {typeof asked === 'object' && <Revoke {...dialog} apiKey={asked} />}
    </Panel>
  );
}

const isLive = ({ revoked, expired }: Key): boolean => !revoked && !expired;

function columnsOf(may: boolean, onRevoke: (key: Key) => void): readonly Column<Key>[] {
  return [
    { title: 'Fingerprint', cell: ({ hash8 }) => <span className="mono">{hash8}</span> },
    {
      title: 'State',
      cell: (key) => {
        const [tone, word] = keyStateOf(key);
        return <Status tone={tone}>{word}</Status>;
      },
    },
    { title: 'Made', align: 'end', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: 'Ends',
      align: 'end',
      cell: ({ expireAt, revokedAt }) => {
        const at = revokedAt ?? expireAt;
        return at === undefined ? <span className="quiet">never</span> : <Time at={at} />;
      },
    },
    {
      title: 'Action',
      align: 'end',
      cell: (key) =>
        may && isLive(key) ? (
          <Button size="small" look="quiet" onClick={() => onRevoke(key)} aria-label={`Revoke ${key.hash8}`}>
            Revoke
          </Button>
        ) : (
          <span className="quiet">–</span>
        ),
    },
  ];
}

interface Asked {
  readonly side: Side;
  readonly subscription: Subscription;
  readonly onClose: () => void;
}

function Renew({ side, subscription, onClose, onKey }: Asked & { readonly onKey: (key: Key) => void }) {
  const renewing = useSubscriptionChange(side.env, () => renewKey(side, subscription), {
    onDone: (key) => {
      onClose();
      onKey(key);
    },
  });
  return (
    <FormDialog
      title="Renew the key?"
      about={`A new key is made and shown once${isShared(subscription) ? ', for all subscriptions of the application' : ''}. Keys that work now go on for two hours, so that callers can change over.`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Renew key', mutation: renewing }}
    />
  );
}

function Revoke({ side, subscription, apiKey, onClose }: Asked & { readonly apiKey: Key }) {
  const revoking = useSubscriptionChange(side.env, () => revokeKey(side, subscription, apiKey.id), {
    onDone: onClose,
    said: () => ({ text: `The key ${apiKey.hash8} is revoked` }),
  });
  return (
    <FormDialog
      title={`Revoke the key ${apiKey.hash8}?`}
      about={`Calls with it are refused as soon as gateways have heard of it${isShared(subscription) ? ', by all APIs that the application subscribed to' : ''}. It cannot be restored.`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Revoke key', mutation: revoking, isDangerous: true }}
    />
  );
}

function RevokeSeveral({
  side,
  subscription,
  several,
  onClose,
}: Asked & { readonly several: readonly Key[] }) {
  return (
    <TogetherDialog
      rows={several}
      keyOf={({ id }) => id}
      nameOf={({ hash8 }) => hash8}
      noun="key"
      words={['Revoke', 'revoked']}
      effects={[[String(several.length), 'stop working at once; none can be restored']]}
      isDangerous
      change={({ id }) => revokeKey(side, subscription, id)}
      touches={[['subscriptions', side.env]]}
      onClose={onClose}
    />
  );
}
