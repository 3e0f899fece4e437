import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { TextField } from '../../kit/field.tsx';
import { count, countOf, size, worded } from '../../kit/numbers.ts';
import { Body, Panel } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { AskDeletion } from './ask-deletion.tsx';
import {
  type Deletion,
  deletionsPerPage,
  keptOf,
  listedDeletions,
  type Retention,
  retentionOf,
  saveRetention,
  subjectName,
} from './retention-questions.ts';

const route = getRouteApi('/$env/settings/retention');

/** What is kept of the environment and for how long, and what was asked to be deleted of it. */
export function EnvironmentRetention() {
  const { env } = route.useParams();
  return (
    <Body>
      <Kept env={env} />
      <Deletions env={env} />
    </Body>
  );
}

interface KeptRow {
  readonly name: string;
  readonly about: string;
  readonly isChosen: boolean;
  readonly kept: Schemas['KeptRecords']['records'];
}

const filesWord = (files: number): string => (files === 1 ? '1 file' : `${worded(count(files))} files`);

const keptColumns: readonly Column<KeptRow>[] = [
  {
    title: 'What',
    cell: ({ name, about }) => (
      <span>
        <b>{name}</b> <span className="second">{about}</span>
      </span>
    ),
  },
  {
    title: 'Kept for',
    cell: ({ kept, isChosen }) => (
      <span>
        <span className="num">{countOf(kept.days, 'day')}</span>{' '}
        <span className="quiet">{isChosen ? 'chosen here' : 'as the platform says'}</span>
      </span>
    ),
  },
  { title: 'Since', cell: ({ kept }) => (kept.oldestAt === undefined ? '–' : <Time at={kept.oldestAt} />) },
  {
    title: 'Up to',
    cell: ({ kept }) => (kept.newestAt === undefined ? '–' : <Time at={kept.newestAt} />),
  },
  {
    title: 'Records',
    align: 'end',
    cell: ({ kept }) => <span className="num">{worded(count(kept.records))}</span>,
  },
  {
    title: 'Size',
    align: 'end',
    cell: ({ kept }) => <span className="num">{worded(size(kept.bytes))}</span>,
  },
];

function Kept({ env }: { readonly env: string }) {
  const { data: retention, error } = useQuery(retentionOf(env));
  const { data: kept, error: keptError } = useQuery(keptOf(env));
  const [isEdited, setEdited] = useState(false);
  const may = useRights({ env });
  const rows =
    kept === undefined || retention === undefined
      ? undefined
      : [
          {
            name: 'Records',
            about: 'of requests and health checks',
            isChosen: retention.recordsDays !== undefined,
            kept: kept.records,
          },
          {
            name: 'Logs',
            about: 'of calls, with headers and bodies',
            isChosen: retention.logsDays !== undefined,
            kept: kept.logs,
          },
        ];
  return (
    <Panel
      title="What is kept"
      isBare
      end={
        retention !== undefined &&
        may('SETTINGS', 'U') && <Button onClick={() => setEdited(true)}>Change days</Button>
      }
    >
      <DataTable
        rowsAwaited={2}
        label="What is kept"
        isInner
        rows={rows}
        error={error ?? keptError}
        keyOf={({ name }) => name}
        columns={keptColumns}
      />
      {isEdited && retention !== undefined && (
        <DaysDialog env={env} retention={retention} onClose={() => setEdited(false)} />
      )}
    </Panel>
  );
}

const daysOf = (text: string): number | undefined => (text === '' ? undefined : Number(text));

function DaysDialog({
  env,
  retention,
  onClose,
}: {
  readonly env: string;
  readonly retention: Retention;
  readonly onClose: () => void;
}) {
  const [records, setRecords] = useState(String(retention.recordsDays ?? ''));
  const [logs, setLogs] = useState(String(retention.logsDays ?? ''));
  const saving = useChange({
    change: () => {
      const [recordsDays, logsDays] = [daysOf(records), daysOf(logs)];
      return saveRetention(env, {
        ...(recordsDays !== undefined && { recordsDays }),
        ...(logsDays !== undefined && { logsDays }),
      });
    },
    touches: [['retention', env]],
    onDone: onClose,
  });
  const field = (name: 'recordsDays' | 'logsDays') => ({
    type: 'number',
    min: 1,
    max: retention.daysMax,
    isOptional: true,
    hint: `1 to ${retention.daysMax}; empty for what the platform says`,
    error: Problem.at(saving.error, name),
  });
  return (
    <FormDialog
      title="Change days"
      about="A day goes as a whole, at midnight UTC. What is older than you say now is deleted within minutes, and nobody can bring it back."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Save days', mutation: saving }}
    >
      <TextField
        label="Days for records"
        value={records}
        autoFocus
        {...field('recordsDays')}
        onChange={({ target }) => setRecords(target.value)}
      />
      <TextField
        label="Days for logs"
        value={logs}
        {...field('logsDays')}
        onChange={({ target }) => setLogs(target.value)}
      />
    </FormDialog>
  );
}

const states: Readonly<
  Record<Deletion['state'], { readonly tone: 'info' | 'ok' | 'idle'; readonly word: string }>
> = {
  PENDING: { tone: 'info', word: 'Waits' },
  RUNNING: { tone: 'info', word: 'Searches' },
  WATCHING: { tone: 'ok', word: 'Deleted, late ones too' },
  DONE: { tone: 'idle', word: 'Done' },
};

const deletionColumns: readonly Column<Deletion>[] = [
  {
    title: 'Of',
    cell: ({ subject, value }) => (
      <span>
        <b>{subjectName(subject)}</b>{' '}
        {value === undefined ? (
          <span className="quiet">struck out</span>
        ) : (
          <span className="mono clip">{value}</span>
        )}
      </span>
    ),
  },
  { title: 'State', cell: (row) => <Progress of={row} /> },
  {
    title: 'Records',
    align: 'end',
    cell: ({ recordsDeleted }) => <span className="num">{worded(count(recordsDeleted))}</span>,
  },
  {
    title: 'Logs',
    align: 'end',
    cell: ({ logsDeleted }) => <span className="num">{worded(count(logsDeleted))}</span>,
  },
  { title: 'Watches until', cell: ({ lateUntil }) => <Time at={lateUntil} /> },
  {
    title: 'Asked by',
    cell: ({ askedBy }) => askedBy.displayName ?? <span className="quiet">somebody who left</span>,
  },
  { title: 'Asked', align: 'end', cell: ({ askedAt }) => <Time at={askedAt} /> },
];

function Progress({ of: { state, filesLeft, filesUnread } }: { readonly of: Deletion }) {
  const { tone, word } = states[state];
  return (
    <span>
      <Status tone={tone}>{word}</Status>
      {filesLeft > 0 && <span className="second"> {filesWord(filesLeft)} left</span>}
      {filesUnread > 0 && <span className="second"> {filesWord(filesUnread)} cannot be read</span>}
    </span>
  );
}

function Deletions({ env }: { readonly env: string }) {
  const { page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery(listedDeletions(env, page));
  const [isAsked, setAsked] = useState(false);
  const may = useRights({ env });
  const ask = may('SETTINGS', 'C') && <Button onClick={() => setAsked(true)}>Delete records</Button>;
  const isEmpty = data?.pagination.totalCount === 0;
  return (
    <Panel title="Deletions" isBare end={!isEmpty && ask}>
      <DataTable
        label="Deletions"
        isInner
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={deletionColumns}
        paging={
          data && {
            page,
            perPage: deletionsPerPage,
            total: data.pagination.totalCount,
            onPage: (next) => void navigate({ search: { page: next } }),
          }
        }
        empty={
          <Empty title="Nothing was asked to be deleted" action={ask || undefined}>
            What is recorded of an application, a caller or a key can be deleted before its time, for good.
          </Empty>
        }
      />
      {isAsked && <AskDeletion env={env} onClose={() => setAsked(false)} />}
    </Panel>
  );
}
