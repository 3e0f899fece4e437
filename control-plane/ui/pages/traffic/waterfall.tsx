import {
  ArrowDownToLine,
  AtSign,
  CircleCheck,
  Hourglass,
  KeyRound,
  Lock,
  type LucideIcon,
  Plug,
  Scale,
  Send,
  Shield,
  Signpost,
} from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { duration, type Figure } from '../../kit/numbers.ts';
import { Panel } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, type Tone } from '../../kit/status.tsx';
import { groupsOf, type Group, type Row, rowsOf } from './waterfall-rows.ts';
import sides from './traffic.module.css';
import styles from './waterfall.module.css';

type Steps = Schemas['CallSteps'];

const scales = [
  ['whole', 'Whole request'],
  ['gateway', 'Gateway only'],
] as const;

/** What a step is told by at a glance; policies share one. */
const icons: ReadonlyMap<string, LucideIcon> = new Map([
  ['match', Signpost],
  ['plan', CircleCheck],
  ['subscription', KeyRound],
  ['endpoint', Scale],
  ['dns', AtSign],
  ['connect', Plug],
  ['connection', Plug],
  ['tls', Lock],
  ['first-byte', Hourglass],
  ['body', ArrowDownToLine],
  ['answer', Send],
]);

const reasons: Readonly<Record<Steps['for'], string>> = {
  refused: 'Written because the request was refused.',
  failed: 'Written because the request failed.',
  slow: 'Written because the request was slow.',
  sampled: 'Written as a sample.',
};

/** The steps of a call on one axis: what each decided, and how long it took. */
export function Waterfall({
  of,
  names,
}: {
  readonly of: Steps;
  /** What ids in it are called. */
  readonly names: ReadonlyMap<string, string>;
}) {
  const [scale, setScale] = useState<'whole' | 'gateway'>('whole');
  const rows = rowsOf(of.list, { scale, names });
  const allUs = Math.max(1, ...rows.map(({ fromUs, tookUs }) => fromUs + tookUs));
  return (
    <Panel
      title="Where its time went"
      isBare
      end={
        <span className={styles['legend']}>
          <i className={sides['gateway']} /> Gateway
          <i className={sides['backend']} /> Backend
          <Segments label="Scale" segments={scales} value={scale} onChoose={setScale} />
        </span>
      }
    >
      <table className={styles['steps']}>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">What it decided</th>
            <th scope="col" className={styles['track']}>
              <Axis allUs={allUs} />
            </th>
            <th scope="col">Took</th>
          </tr>
        </thead>
        {groupsOf(rows).map((group) => (
          <GroupRows key={`${group.name} ${group.rows[0]?.key}`} group={group} allUs={allUs} />
        ))}
      </table>
      <p className={styles['foot']}>
        {reasons[of.for]}
        {of.leftOut !== undefined && ` ${of.leftOut} more steps were left out.`}
      </p>
    </Panel>
  );
}

function Axis({ allUs }: { readonly allUs: number }) {
  return (
    <span className={styles['axis']}>
      {[0, 1, 2, 3].map((third) => (
        <span key={third} className="num">
          {third === 0 ? '0' : wordsOf(duration((allUs * third) / 3_000))}
        </span>
      ))}
    </span>
  );
}

const wordsOf = ({ value, unit }: Figure): string => `${value} ${unit}`;

function GroupRows({ group, allUs }: { readonly group: Group; readonly allUs: number }) {
  const { name, rows, fromUs, tookUs } = group;
  return (
    <tbody>
      <tr className={styles['group']}>
        <th scope="rowgroup" colSpan={2}>
          {name}
        </th>
        <td className={styles['track']}>
          <i className={styles['span']} style={placed(fromUs, tookUs, allUs)} />
        </td>
        <td>
          <Length us={tookUs} />
        </td>
      </tr>
      {rows.map((row) => (
        <tr key={row.key}>
          <th scope="row" title={row.place}>
            <StepIcon id={row.id} />
            {row.name}
          </th>
          <td className="second">
            <Decided row={row} />
          </td>
          <td className={styles['track']}>
            <i className={sides[row.side]} style={placed(row.fromUs, row.tookUs, allUs)} />
          </td>
          <td>
            <Length us={row.tookUs} />
          </td>
        </tr>
      ))}
    </tbody>
  );
}

function StepIcon({ id }: { readonly id: string }) {
  const Icon = icons.get(id) ?? Shield;
  return <Icon size={14} aria-hidden />;
}

/** At least 3 px wide, and then not beyond the end. */
const placed = (fromUs: number, tookUs: number, allUs: number) => ({
  left: `min(${(100 * fromUs) / allUs}%, 100% - 3px)`,
  width: `${(100 * tookUs) / allUs}%`,
});

const decisions: Readonly<Record<Row['decision'], { readonly word: string; readonly tone?: Tone }>> = {
  passed: { word: '' },
  answered: { word: 'Answered', tone: 'info' },
  skipped: { word: 'Skipped', tone: 'idle' },
  refused: { word: 'Refused', tone: 'bad' },
  failed: { word: 'Failed', tone: 'bad' },
  abandoned: { word: 'Given up', tone: 'warn' },
  unfinished: { word: 'Not done', tone: 'warn' },
};

function Decided({ row: { decision, said } }: { readonly row: Row }) {
  const { word, tone } = decisions[decision];
  return (
    <>
      {tone !== undefined && <Status tone={tone}>{word}</Status>} {said}
    </>
  );
}

function Length({ us }: { readonly us: number }) {
  const { value, unit } = us === 0 ? { value: '< 1', unit: 'µs' } : duration(us / 1_000);
  return (
    <span className="num">
      {value} <span className="quiet">{unit}</span>
    </span>
  );
}
