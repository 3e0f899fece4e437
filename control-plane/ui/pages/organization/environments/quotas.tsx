import { useQuery } from '@tanstack/react-query';
import { count, worded } from '../../../kit/numbers.ts';
import { Panel } from '../../../kit/page.tsx';
import { Share, Status, type Tone } from '../../../kit/status.tsx';
import { DataTable } from '../../../kit/table.tsx';
import { type Quota, quotasOf } from './questions.ts';

const words: Readonly<Record<Quota['name'], string>> = {
  apis: 'APIs',
  applications: 'Applications',
  subscriptions: 'Subscriptions',
  pages: 'Pages of documentation',
  tokens: 'Tokens of your own',
};

/** From this part of a limit on, whoever looks is told that it comes near. */
const nearPart = 0.9;

function toneOf({ used, limit }: Quota): Tone {
  if (used >= limit) return 'bad';
  return used >= nearPart * limit ? 'warn' : 'ok';
}

const stateWords: ReadonlyMap<Tone, string> = new Map([
  ['bad', 'Full'],
  ['warn', 'Nearly full'],
  ['ok', 'Room'],
]);

/** What an environment holds of each kind, and where it ends. */
export function Quotas({ env }: { readonly env: string }) {
  const { data, error } = useQuery(quotasOf(env));
  return (
    <Panel title="Quotas" isBare>
      <DataTable
        label="Quotas"
        isInner
        rows={data}
        error={error}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Of what', cell: ({ name }) => words[name] },
          {
            title: 'State',
            cell: (quota) => <Status tone={toneOf(quota)}>{stateWords.get(toneOf(quota))}</Status>,
          },
          {
            title: 'Used',
            cell: (quota) => <Share part={quota.used} whole={quota.limit} tone={toneOf(quota)} />,
          },
          {
            title: 'Left',
            align: 'end',
            cell: ({ used, limit }) => (
              <span className="num">{worded(count(Math.max(0, limit - used)))}</span>
            ),
          },
        ]}
        empty={<p className="second inset">Nothing in it has a limit.</p>}
      />
    </Panel>
  );
}
