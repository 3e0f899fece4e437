import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { useChoosing } from '../../kit/choosing.tsx';
import { now } from '../../kit/now.ts';
import { shortId } from '../../kit/numbers.ts';
import { Toolbar } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { oneApi } from '../apis/questions.ts';
import { SubscriptionsTogether } from './together.tsx';
import { KeyOnce } from './key-once.tsx';
import {
  closingRight,
  listedSubscriptions,
  type Shown,
  type Side,
  stateOf,
  type Subscription,
  subscriptionsPerPage,
} from './side.ts';
import { Subscribe } from './subscribe.tsx';
import { securityWords } from './words.ts';

const segments: readonly (readonly [Shown, string])[] = [
  ['open', 'Open'],
  ['pending', 'Pending'],
  ['ended', 'Ended'],
];

/** What of a list of subscriptions its address says. */
export interface SubscriptionsSearch {
  readonly shown?: Shown;
  readonly page?: number;
  /** Whoever came here came to subscribe. */
  readonly subscribe?: boolean;
}

/** The subscriptions of an API or of an application. */
export function SubscriptionList({
  side,
  search: { shown = 'open', page = 1, subscribe: isAsked = false },
  onSearch,
}: {
  readonly side: Side;
  readonly search: SubscriptionsSearch;
  readonly onSearch: (search: SubscriptionsSearch) => void;
}) {
  const [isSubscribing, setSubscribing] = useState(false);
  const [made, setMade] = useState<Subscription>();
  const may = useRights({ env: side.env, [side.of]: side.id });
  const { data, error } = useQuery(listedSubscriptions(side, { shown, page }));
  const names = useNamesOf(side, data?.rows ?? []);
  const choosing = useChoosing(data?.rows, keyOf, (row) => nameOf(side, names, row));
  // Those who run the API decide by the same right by which they close.
  const mayChange = may('SUBSCRIPTION', closingRight(side)) && shown !== 'ended';
  const maySubscribe = may('SUBSCRIPTION', 'C');
  const subscribe = maySubscribe ? (
    <Button look={side.of === 'api' ? 'plain' : 'primary'} onClick={() => setSubscribing(true)}>
      <Plus size={16} aria-hidden />
      {side.of === 'api' ? 'Subscribe an application' : 'Subscribe to an API'}
    </Button>
  ) : undefined;
  return (
    <>
      <Toolbar end={subscribe}>
        <Segments
          label="Which subscriptions"
          segments={segments}
          value={shown}
          onChoose={(next) => onSearch(next === 'open' ? {} : { shown: next })}
        />
      </Toolbar>
      <DataTable
        label="Subscriptions"
        rows={data?.rows}
        error={error}
        keyOf={keyOf}
        columns={columnsOf(side, names)}
        choosing={mayChange ? choosing : undefined}
        paging={
          data && {
            page,
            perPage: subscriptionsPerPage,
            total: data.total,
            onPage: (next) => onSearch({ ...(shown !== 'open' && { shown }), page: next }),
          }
        }
        empty={<NoSubscriptions {...{ side, shown }} />}
      />
      {mayChange && <SubscriptionsTogether {...{ side, choosing }} />}
      <Subscribe
        side={side}
        isOpen={maySubscribe && (isSubscribing || isAsked)}
        onClose={() => {
          setSubscribing(false);
          if (isAsked) onSearch({ ...(shown !== 'open' && { shown }), ...(page > 1 && { page }) });
        }}
        onSubscribed={setMade}
      />
      <KeyOnce env={side.env} subscription={made} apiKey={made?.apiKey} onClose={() => setMade(undefined)} />
    </>
  );
}

const keyOf = ({ id }: Subscription): string => id;

/** What is at the other end of a subscription. */
const nameOf = (
  { of }: Side,
  names: ReadonlyMap<string, string>,
  { api, application }: Subscription,
): string =>
  of === 'api' ? (application.name ?? shortId(application.id)) : (names.get(api.id) ?? shortId(api.id));

/** An application's list names APIs by their ids; one that the reader may not see stays an id. */
export function useNamesOf({ env, of }: Side, rows: readonly Subscription[]): ReadonlyMap<string, string> {
  const ids = of === 'api' ? [] : [...new Set(rows.map(({ api }) => api.id))];
  const answers = useQueries({ queries: ids.map((id) => ({ ...oneApi({ env, id }), staleTime: 60_000 })) });
  return new Map(answers.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data.name]])));
}

export function columnsOf(side: Side, names: ReadonlyMap<string, string>): readonly Column<Subscription>[] {
  const { env, id } = side;
  return [
    side.of === 'api'
      ? {
          title: 'Application',
          cell: (row) => (
            <Link
              to="/$env/apis/$api/subscriptions/$subscription"
              params={{ env, api: id, subscription: row.id }}
            >
              {nameOf(side, names, row)}
            </Link>
          ),
        }
      : {
          title: 'API',
          cell: (row) => (
            <Link
              to="/$env/applications/$application/subscriptions/$subscription"
              params={{ env, application: id, subscription: row.id }}
            >
              {nameOf(side, names, row)}
            </Link>
          ),
        },
    { title: 'Plan', cell: ({ plan }) => plan.name ?? shortId(plan.id) },
    { title: 'Security', cell: ({ plan: { security } }) => <Tag>{securityWords(security?.type)}</Tag> },
    {
      title: 'State',
      cell: (subscription) => {
        const [tone, word] = stateOf(subscription, now());
        return <Status tone={tone}>{word}</Status>;
      },
    },
    {
      title: 'Ends',
      align: 'end',
      cell: ({ endingAt }) =>
        endingAt === undefined ? <span className="quiet">never</span> : <Time at={endingAt} />,
    },
    { title: 'Changed', align: 'end', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
  ];
}

function NoSubscriptions({ side, shown }: { readonly side: Side; readonly shown: Shown }) {
  if (shown === 'pending')
    return (
      <Empty title="Nothing to decide">No subscription waits for somebody to accept or reject it.</Empty>
    );
  if (shown === 'ended')
    return <Empty title="None has ended">Subscriptions that were rejected or closed stay here.</Empty>;
  return (
    <Empty title="No subscriptions yet">
      {side.of === 'api'
        ? 'A subscription lets an application call this API by one of its plans, with a key or a token.'
        : 'A subscription lets this application call an API by one of its plans, with a key or a token.'}
    </Empty>
  );
}
