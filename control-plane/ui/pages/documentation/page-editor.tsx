import { useQuery } from '@tanstack/react-query';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useWritten } from '../../api/written.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { AreaField, TextField } from '../../kit/field.tsx';
import { Bar, Body, Discard, Panel, SaveBar, Unanswered } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { Note, ProblemBox } from '../../kit/told.tsx';
import styles from './documentation.module.css';
import { PageSettings } from './page-settings.tsx';
import { Preview } from './preview.tsx';
import {
  deletePage,
  type DocPage,
  type DocEdit,
  fetchPage,
  movePage,
  onePage,
  publishPage,
  savePageOver,
  shelfKey,
  type ShelfAt,
} from './questions.ts';
import { typeWords } from './words.ts';

interface Props {
  readonly at: ShelfAt;
  readonly id: string;
  /** Pages of its folder in their order, with it. */
  readonly siblings: readonly DocPage[];
  readonly onGone: () => void;
}

/** One page: what is written in it, who reads it, where it comes from. */
export function PageEditor({ at, id, siblings, onGone }: Props) {
  const { data, error } = useQuery(onePage(at, id));
  const may = useRights(at);
  const [part, setPart] = useState<PartName>('preview');
  const written = useWritten<DocPage | undefined, DocEdit>(data);
  const saving = useChange({
    change: () => savePageOver(at, written.over, written.fields),
    touches: [shelfKey(at)],
    written,
  });
  if (data === undefined) return <Unanswered error={error} />;
  const isReadOnly = !may('DOCUMENTATION', 'U');
  const shown = { ...data, ...written.fields } as DocPage;
  const isFolder = data.type === 'FOLDER';
  const set = (next: DocEdit): void => {
    saving.reset();
    written.write(next);
  };
  return (
    <>
      <Bar
        title={data.name}
        status={
          <Status tone={data.published ? 'ok' : 'idle'} isPill>
            {data.published ? 'Published' : 'Not published'}
          </Status>
        }
      >
        <Deeds {...{ at, siblings, onGone }} page={data} isSaved={!written.isWritten} />
      </Bar>
      <Body>
        {isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>DOCUMENTATION, update</b>.
          </Note>
        )}
        <Fetched page={data} />
        <Panel title={typeWords[data.type]} end={!isFolder && <Parts part={part} onChoose={setPart} />}>
          <Part
            {...{ at, shown, isReadOnly }}
            part={isFolder ? 'settings' : part}
            error={saving.error}
            onChange={set}
          />
        </Panel>
        {saving.error !== null && <ProblemBox error={saving.error} />}
        {written.isWritten && (
          <SaveBar change={saving.change}>
            <Discard {...{ saving, written }} />
            <Button
              look="primary"
              disabled={saving.isPending || shown.name.trim() === ''}
              onClick={() => saving.mutate()}
            >
              Save page
            </Button>
          </SaveBar>
        )}
      </Body>
    </>
  );
}

type PartName = 'write' | 'preview' | 'settings';

const Parts = ({
  part,
  onChoose,
}: {
  readonly part: PartName;
  readonly onChoose: (part: PartName) => void;
}) => (
  <Segments
    label="What is shown"
    segments={[
      ['preview', 'Preview'],
      ['write', 'Write'],
      ['settings', 'Settings'],
    ]}
    value={part}
    onChoose={onChoose}
  />
);

function Part({
  at,
  part,
  shown,
  isReadOnly,
  error,
  onChange,
}: {
  readonly at: ShelfAt;
  readonly part: PartName;
  readonly shown: DocPage;
  readonly isReadOnly: boolean;
  readonly error: Error | null;
  readonly onChange: (part: DocEdit) => void;
}) {
  const text = shown.content ?? '';
  if (part === 'settings') return <PageSettings {...{ at, shown, isReadOnly, error, onChange }} />;
  if (part === 'preview') return <Preview type={shown.type} text={text} />;
  const common = {
    disabled: isReadOnly,
    value: text,
    error: Problem.at(error, 'content'),
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      onChange({ content: value }),
  };
  return (
    <div className={styles['writing']}>
      {shown.type === 'LINK' ? (
        <TextField label="Leads to" {...common} />
      ) : (
        <AreaField label="Content" className="mono" rows={20} {...common} />
      )}
    </div>
  );
}

/** How fetching by a schedule goes. */
function Fetched({ page: { lastFetch } }: { readonly page: DocPage }) {
  if (lastFetch === undefined) return null;
  const { problem, fetchedAt, nextAt } = lastFetch;
  return (
    <div role="status">
      <Status tone={problem === undefined ? 'info' : 'bad'}>
        {problem === undefined ? 'Fetched by a schedule.' : `The last fetch failed: ${problem}`}{' '}
        {fetchedAt !== undefined && (
          <>
            Last fetched <Time at={fetchedAt} />.{' '}
          </>
        )}
        {nextAt !== undefined && (
          <>
            Next <Time at={nextAt} />.
          </>
        )}
      </Status>
    </div>
  );
}

function Deeds({
  at,
  page,
  siblings,
  isSaved,
  onGone,
}: {
  readonly at: ShelfAt;
  readonly page: DocPage;
  readonly siblings: readonly DocPage[];
  readonly isSaved: boolean;
  readonly onGone: () => void;
}) {
  const may = useRights(at);
  const [isDeleting, setDeleting] = useState(false);
  const touches = [shelfKey(at)];
  const fetching = useChange({ change: () => fetchPage(at, page.id), touches });
  const publishing = useChange({ change: () => publishPage(at, page.id, !page.published), touches });
  const place = siblings.findIndex(({ id }) => id === page.id);
  const failed = fetching.error ?? publishing.error;
  return (
    <>
      {failed !== null && <ProblemBox error={failed} />}
      {may('DOCUMENTATION', 'U') && (
        <span className={styles['order']}>
          <Move at={at} page={page} to={place - 1} isOff={place <= 0} />
          <Move at={at} page={page} to={place + 1} isOff={place >= siblings.length - 1} />
        </span>
      )}
      {may('DOCUMENTATION', 'D') && (
        <Button look="quiet" size="small" onClick={() => setDeleting(true)}>
          Delete
        </Button>
      )}
      {may('DOCUMENTATION', 'U') && page.source !== undefined && (
        <Button size="small" disabled={fetching.isPending || !isSaved} onClick={() => fetching.mutate()}>
          Fetch now
        </Button>
      )}
      {may('DOCUMENTATION', 'U') && (
        <Button
          size="small"
          look={page.published ? 'plain' : 'primary'}
          disabled={publishing.isPending || !isSaved}
          onClick={() => publishing.mutate()}
        >
          {page.published ? 'Take back' : 'Publish'}
        </Button>
      )}
      {isDeleting && <Delete at={at} page={page} onGone={onGone} onClose={() => setDeleting(false)} />}
    </>
  );
}

/** Another place among the pages of its folder. */
function Move({
  at,
  page,
  to,
  isOff,
}: {
  readonly at: ShelfAt;
  readonly page: DocPage;
  readonly to: number;
  readonly isOff: boolean;
}) {
  const moving = useChange({
    change: () => movePage(at, page.id, to),
    touches: [shelfKey(at)],
  });
  const isUp = to < page.order;
  return (
    <IconButton
      label={isUp ? 'Move page up' : 'Move page down'}
      disabled={isOff || moving.isPending}
      onClick={() => moving.mutate()}
    >
      {isUp ? <ArrowUp size={16} aria-hidden /> : <ArrowDown size={16} aria-hidden />}
    </IconButton>
  );
}

function Delete({
  at,
  page,
  onGone,
  onClose,
}: {
  readonly at: ShelfAt;
  readonly page: DocPage;
  readonly onGone: () => void;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: async () => {
      await deletePage(at, page.id);
      onGone();
    },
    touches: [[...shelfKey(at), 'list']],
    said: () => ({ text: `${page.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${page.name}?`}
      about="Nothing brings it back. A folder must be empty."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete page', mutation: deleting, isDangerous: true }}
    />
  );
}
