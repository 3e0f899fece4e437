import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { count } from '../../kit/numbers.ts';
import { ProblemBox } from '../../kit/told.tsx';
import {
  askDeletion,
  countOfDeletion,
  type DeletionCount,
  type NewDeletion,
  retentionOf,
  type SubjectChoice,
  subjects,
} from './retention-questions.ts';

/** Asks whose records are to be deleted, and says how many those are before anything is. */
export function AskDeletion({ env, onClose }: { readonly env: string; readonly onClose: () => void }) {
  const [kind, setKind] = useState<SubjectChoice>('CONSUMER_IP');
  const [metric, setMetric] = useState('');
  const [value, setValue] = useState('');
  const [counted, setCounted] = useState<NewDeletion>();
  const { data: retention } = useQuery(retentionOf(env));
  const { data: found, error: countError, isFetching } = useQuery(countOfDeletion(env, counted));
  const wish: NewDeletion = {
    subject: kind === 'custom.' ? `custom.${metric}` : kind,
    value: kind === 'custom.' ? value : value.trim(),
  };
  const asking = useChange({
    change: () => askDeletion(env, wish),
    touches: [['deletions', env]],
    onDone: onClose,
  });
  const isWritten = value.trim() !== '' && (kind !== 'custom.' || metric !== '');
  const refusal = asking.error ?? countError;
  const write = (set: () => void): void => {
    set();
    setCounted(undefined);
    asking.reset();
  };
  return (
    <FormDialog
      title="Delete records"
      about="Everything that is recorded of it goes, with what is logged of its requests, and nobody can bring it back."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete records', mutation: asking, isReady: isWritten, isDangerous: true }}
    >
      <SelectField
        label="Of"
        value={kind}
        options={subjects.map(([id, name]) => [id, name])}
        error={Problem.at(refusal, 'subject')}
        onChoose={(chosen) => write(() => setKind(chosen))}
      />
      {kind === 'custom.' && <MetricField value={metric} onChange={(name) => write(() => setMetric(name))} />}
      <TextField
        label="Value"
        value={value}
        maxLength={1_024}
        hint={subjects.find(([id]) => id === kind)?.[2]}
        error={Problem.at(refusal, 'value')}
        after={<CountVerb isOff={!isWritten || isFetching} onCount={() => setCounted(wish)} />}
        onChange={({ target }) => write(() => setValue(target.value))}
      />
      {countError !== null && Problem.at(countError, 'value') === undefined && (
        <ProblemBox error={countError} />
      )}
      <Outcome found={found ?? undefined} lateDays={retention?.lateDays} />
    </FormDialog>
  );
}

function CountVerb({ isOff, onCount }: { readonly isOff: boolean; readonly onCount: () => void }) {
  return (
    <Button size="small" look="quiet" disabled={isOff} onClick={onCount}>
      Count
    </Button>
  );
}

function MetricField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (name: string) => void;
}) {
  return (
    <TextField
      label="Name of the metric"
      value={value}
      maxLength={64}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}

/** What is deleted, as far as it was counted. */
function Outcome({
  found,
  lateDays,
}: {
  readonly found: DeletionCount | undefined;
  readonly lateDays: number | undefined;
}) {
  const isByRequest = found !== undefined && found.logs === undefined;
  return (
    <Effects
      effects={[
        [said(found?.records), 'records of requests go'],
        [said(found?.logs), isByRequest ? 'logs go: those of its requests' : 'logs of calls go'],
        [String(lateDays ?? '–'), 'days long what arrives late goes as well'],
      ]}
    />
  );
}

function said(value: number | undefined): string {
  const { value: text, unit } = count(value);
  return `${text}${unit}`;
}
