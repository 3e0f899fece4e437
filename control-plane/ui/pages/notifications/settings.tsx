import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { Body, Panel, Unanswered } from '../../kit/page.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable, deedsColumn } from '../../kit/table.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';
import { Unsaved } from '../../kit/unsaved.tsx';
import styles from '../apis/inside.module.css';
import {
  createSetting,
  deleteSetting,
  type Hook,
  listedHooks,
  listedSettings,
  type Setting,
  type Side,
  touchedBy,
} from './questions.ts';
import { HooksField } from './hooks-field.tsx';
import { ReceiverDialog } from './receiver.tsx';

/** Of the environment, the API or the application that the address names. */
export function NotificationSettings() {
  const { env = '', api, application } = useParams({ strict: false });
  const side: Side =
    api !== undefined
      ? { of: 'api', env, id: api }
      : application !== undefined
        ? { of: 'application', env, id: application }
        : { of: 'environment', env, id: '' };
  const may = useRights({
    env,
    ...(api !== undefined && { api }),
    ...(application !== undefined && { application }),
  });
  const { data, error } = useQuery(listedSettings(side));
  const { data: hooks } = useQuery(listedHooks(side));
  if (data === undefined || hooks === undefined) return <Unanswered error={error} />;
  const own = data.find(({ config_type: type }) => type === 'PORTAL');
  const mayWrite = {
    create: may('NOTIFICATION', 'C'),
    update: may('NOTIFICATION', 'U'),
    delete: may('NOTIFICATION', 'D'),
  };
  return (
    <Body>
      <div className={styles['form']}>
        {own !== undefined && <Own key={own.hooks.join()} side={side} hooks={hooks} chosen={own.hooks} />}
        {Object.values(mayWrite).some(Boolean) && (
          <Receivers
            side={side}
            hooks={hooks}
            rows={data.filter(({ config_type: type }) => type === 'GENERIC')}
            may={mayWrite}
          />
        )}
      </div>
    </Body>
  );
}

/** What the reader is told of in the console. */
function Own({
  side,
  hooks,
  chosen: saved,
}: {
  readonly side: Side;
  readonly hooks: readonly Hook[];
  readonly chosen: readonly string[];
}) {
  const [chosen, setChosen] = useState(saved);
  const saving = useChange({
    change: () => createSetting(side, { config_type: 'PORTAL', hooks: [...chosen] }),
    touches: touchedBy(side),
  });
  const isSame = chosen.length === saved.length && chosen.every((id) => saved.includes(id));
  return (
    <Panel title="You, in the console">
      <div className={styles['rows']}>
        {!isSame && <Unsaved />}
        <HooksField label="Tell me of" hooks={hooks} chosen={chosen} onChange={setChosen} />
        {saving.error !== null && <ProblemBox error={saving.error} />}
        <div>
          <Button look="primary" disabled={isSame || saving.isPending} onClick={() => saving.mutate()}>
            Save
          </Button>
        </div>
      </div>
    </Panel>
  );
}

interface Rights {
  readonly create: boolean;
  readonly update: boolean;
  readonly delete: boolean;
}

/** Addresses and webhooks that are told. */
function Receivers({
  side,
  hooks,
  rows,
  may,
}: {
  readonly side: Side;
  readonly hooks: readonly Hook[];
  readonly rows: readonly Setting[];
  readonly may: Rights;
}) {
  const [written, setWritten] = useState<Setting | 'new'>();
  const [deleted, setDeleted] = useState<Setting>();
  const create = may.create ? (
    <Button size="small" onClick={() => setWritten('new')}>
      <Plus size={14} aria-hidden />
      Add receiver
    </Button>
  ) : undefined;
  return (
    <Panel title="Addresses and webhooks" isBare end={create}>
      <DataTable
        label="Receivers"
        isInner
        rows={rows}
        error={null}
        keyOf={({ id }) => id ?? ''}
        columns={columnsOf({
          onEdit: may.update ? setWritten : undefined,
          onDelete: may.delete ? setDeleted : undefined,
        })}
        empty={
          <Empty title="Nobody else is told">
            A mail or a signed call of a URL tells others: a team, a chat, a pipeline.
          </Empty>
        }
      />
      {written !== undefined && (
        <ReceiverDialog
          side={side}
          hooks={hooks}
          setting={written === 'new' ? undefined : written}
          onClose={() => setWritten(undefined)}
        />
      )}
      {deleted !== undefined && (
        <DeleteReceiver side={side} setting={deleted} onClose={() => setDeleted(undefined)} />
      )}
    </Panel>
  );
}

type Deed = ((setting: Setting) => void) | undefined;

function columnsOf({
  onEdit,
  onDelete,
}: {
  readonly onEdit: Deed;
  readonly onDelete: Deed;
}): readonly Column<Setting>[] {
  return [
    { title: 'Name', cell: ({ name }) => <b className="clip">{name}</b> },
    { title: 'How', cell: ({ notifier }) => <Tag>{notifier === 'default-email' ? 'Mail' : 'Webhook'}</Tag> },
    { title: 'Receiver', cell: ({ config }) => <span className="mono second clip">{config}</span> },
    {
      title: 'Told of',
      align: 'end',
      cell: ({ hooks: { length } }) => `${length} ${length === 1 ? 'event' : 'events'}`,
    },
    ...deedsColumn<Setting>('Change', [
      { verb: 'Edit', label: ({ name }) => `Edit ${name}`, onDo: onEdit },
      { verb: 'Delete', label: ({ name }) => `Delete ${name}`, onDo: onDelete },
    ]),
  ];
}

function DeleteReceiver({
  side,
  setting,
  onClose,
}: {
  readonly side: Side;
  readonly setting: Setting;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: () => deleteSetting(side, setting.id ?? ''),
    touches: touchedBy(side),
    onDone: onClose,
    said: () => ({ text: `${setting.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${setting.name}?`}
      about="It is told nothing more."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete receiver', mutation: deleting, isDangerous: true }}
    />
  );
}
