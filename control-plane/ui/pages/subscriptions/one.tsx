import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, Pause, X } from 'lucide-react';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Copy } from '../../kit/copy.tsx';
import { now } from '../../kit/now.ts';
import { shortId } from '../../kit/numbers.ts';
import { Bar, Body, Columns, Facts, Panel, Unanswered } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { Note } from '../../kit/told.tsx';
import { oneApi } from '../apis/questions.ts';
import { Accept, Close, PauseDialog, Reject, Resume } from './deeds.tsx';
import { KeyOnce } from './key-once.tsx';
import { Keys } from './keys.tsx';
import { closingRight, type Key, oneSubscription, type Side, stateOf, type Subscription } from './side.ts';
import { securityWords } from './words.ts';

/** A subscription: what it is, what can be done with it, and its keys. */
export function SubscriptionPage({ side, id }: { readonly side: Side; readonly id: string }) {
  const { data, error } = useQuery(oneSubscription(side, id));
  const [made, setMade] = useState<Key>();
  const may = useRights({ env: side.env, [side.of]: side.id });
  if (data === undefined) return <Unanswered error={error} />;
  const [tone, word] = stateOf(data, now());
  const isByKey = data.plan.security?.type === 'API_KEY';
  return (
    <>
      <Bar
        title={
          side.of === 'api' ? (
            (data.application.name ?? shortId(data.application.id))
          ) : (
            <ApiName {...{ side, data }} />
          )
        }
        status={
          <Status tone={tone} isPill>
            {word}
          </Status>
        }
      >
        <Deeds {...{ side, data }} onKey={setMade} />
      </Bar>
      <Body>
        {!may('SUBSCRIPTION', 'U') && (
          <Note>
            You can read this subscription. Changing it needs <b>SUBSCRIPTION, update</b> on the{' '}
            {side.of === 'api' ? 'API' : 'application'}.
          </Note>
        )}
        <Columns>
          <Panel title="What it is">
            <Facts facts={factsOf(side, data)} />
          </Panel>
          {isByKey && <Keys {...{ side, subscription: data }} onKey={setMade} />}
        </Columns>
      </Body>
      <KeyOnce env={side.env} subscription={data} apiKey={made} onClose={() => setMade(undefined)} />
    </>
  );
}

function ApiName({ side: { env }, data }: { readonly side: Side; readonly data: Subscription }) {
  const { data: api } = useQuery(oneApi({ env, id: data.api.id }));
  return api?.name ?? data.api.name ?? shortId(data.api.id);
}

function factsOf(side: Side, of: Subscription): readonly (readonly [string, React.ReactNode])[] {
  const { env } = side;
  const moments = [
    ['Asked for', of.createdAt],
    ['Decided', of.processedAt],
    ['Begins', of.startingAt],
    ['Ends', of.endingAt],
    ['Paused', of.pausedAt],
    ['Closed', of.closedAt],
  ] as const;
  return [
    [
      'Application',
      side.of === 'api' ? (
        <Link
          key="application"
          className="link"
          to="/$env/applications/$application"
          params={{ env, application: of.application.id }}
        >
          {of.application.name ?? shortId(of.application.id)}
        </Link>
      ) : (
        (of.application.name ?? shortId(of.application.id))
      ),
    ],
    [
      'API',
      side.of === 'application' ? (
        <Link key="api" className="link" to="/$env/apis/$api" params={{ env, api: of.api.id }}>
          <ApiName side={side} data={of} />
        </Link>
      ) : (
        <ApiName key="api" side={side} data={of} />
      ),
    ],
    ['Plan', `${of.plan.name ?? shortId(of.plan.id)} (${securityWords(of.plan.security?.type)})`],
    ...(of.consumerMessage === undefined ? [] : [['They wrote', of.consumerMessage] as const]),
    ...(of.publisherMessage === undefined ? [] : [['Answered', of.publisherMessage] as const]),
    ...moments.flatMap(([name, at]) =>
      at === undefined ? [] : [[name, <Time key={name} at={at} />] as const],
    ),
    ['Id', <Copy key="id" text={of.id} shown={shortId(of.id)} />],
  ];
}

function Deeds({
  side,
  data,
  onKey,
}: {
  readonly side: Side;
  readonly data: Subscription;
  readonly onKey: (key: Key | undefined) => void;
}) {
  const [asked, setAsked] = useState<'accept' | 'reject' | 'close' | 'pause'>();
  const may = useRights({ env: side.env, [side.of]: side.id });
  const dialog = { side, subscription: data, onClose: () => setAsked(undefined) };
  const isPending = data.status === 'PENDING';
  const canClose = isPending || data.status === 'ACCEPTED' || data.status === 'PAUSED';
  const mayDecide = side.of === 'api' && may('SUBSCRIPTION', 'U');
  return (
    <>
      {canClose && may('SUBSCRIPTION', closingRight(side)) && (
        <Button onClick={() => setAsked('close')}>Close subscription</Button>
      )}
      {data.status === 'ACCEPTED' && mayDecide && (
        <Button onClick={() => setAsked('pause')}>
          <Pause size={14} aria-hidden />
          Pause
        </Button>
      )}
      {data.status === 'PAUSED' && mayDecide && <Resume {...dialog} />}
      {isPending && mayDecide && (
        <>
          <Button onClick={() => setAsked('reject')}>
            <X size={14} aria-hidden />
            Reject
          </Button>
          <Button look="primary" onClick={() => setAsked('accept')}>
            <Check size={14} aria-hidden />
            Accept
          </Button>
        </>
      )}
      {asked === 'accept' && <Accept {...dialog} onKey={onKey} />}
      {asked === 'reject' && <Reject {...dialog} />}
      {asked === 'pause' && <PauseDialog {...dialog} />}
      {asked === 'close' && <Close {...dialog} />}
    </>
  );
}
