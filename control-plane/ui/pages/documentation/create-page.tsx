import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import {
  createPage,
  type DocPage,
  type DocSource,
  type DocType,
  type DocWish,
  shelfKey,
  type ShelfAt,
} from './questions.ts';
import { SourceFields } from './source-fields.tsx';
import { typeWords } from './words.ts';

const begins: Readonly<Partial<Record<DocType, string>>> = {
  MARKDOWN: '# Title\n',
  ASCIIDOC: '= Title\n',
  SWAGGER: 'openapi: 3.1.0\ninfo:\n  title: Title\n  version: "1"\npaths: {}\n',
  ASYNCAPI: 'asyncapi: 3.0.0\ninfo:\n  title: Title\n  version: "1"\nchannels: {}\n',
};

interface Wish {
  readonly name: string;
  readonly type: DocType;
  /** Empty for the top. */
  readonly folder: string;
  /** Of a link. */
  readonly target: string;
  readonly source?: DocSource | undefined;
}

/** A page or folder more. */
export function CreatePage({
  at,
  folders,
  parentId,
  onMade,
  onClose,
}: {
  readonly at: ShelfAt;
  readonly folders: readonly DocPage[];
  readonly parentId: string | undefined;
  readonly onMade: (page: DocPage) => void;
  readonly onClose: () => void;
}) {
  const [wish, setWish] = useState<Wish>({ name: '', type: 'MARKDOWN', folder: parentId ?? '', target: '' });
  const { name, type, folder, target } = wish;
  const set = (part: Partial<Wish>): void => setWish((before) => ({ ...before, ...part }));
  const creating = useChange({
    change: () =>
      createPage(at, {
        name,
        type,
        ...(folder !== '' && { parentId: folder }),
        ...contentOf(wish),
      }),
    touches: [shelfKey(at)],
    onDone: onMade,
  });
  return (
    <FormDialog
      title="Add a page"
      about="Nobody reads it before it is published."
      isOpen
      onClose={onClose}
      submit={{
        verb: type === 'FOLDER' ? 'Add folder' : 'Add page',
        mutation: creating,
        isReady: name.trim() !== '' && (type !== 'LINK' || target !== ''),
      }}
    >
      <Fields {...{ at, folders, wish }} error={creating.error} onChange={set} />
    </FormDialog>
  );
}

function Fields({
  at,
  folders,
  wish: { name, type, folder, target, source },
  error,
  onChange: set,
}: {
  readonly at: ShelfAt;
  readonly folders: readonly DocPage[];
  readonly wish: Wish;
  readonly error: Error | null;
  readonly onChange: (part: Partial<Wish>) => void;
}) {
  const faultAt = (field: string): string | undefined => Problem.at(error, field);
  const isFetched = type !== 'FOLDER' && type !== 'LINK';
  return (
    <>
      <TextField
        label="Name"
        value={name}
        maxLength={512}
        autoFocus
        error={faultAt('name')}
        onChange={({ target: { value } }) => set({ name: value })}
      />
      <SelectField
        label="Type"
        value={type}
        options={Object.entries(typeWords) as [DocType, string][]}
        onChoose={(chosen) => set({ type: chosen })}
      />
      <SelectField
        label="Lies in"
        value={folder}
        error={faultAt('parentId')}
        options={[['', 'the top'], ...folders.map(({ id, name: of }) => [id, of] as const)]}
        onChange={({ target: { value } }) => set({ folder: value })}
      />
      {type === 'LINK' && (
        <TextField
          label="Leads to"
          type="url"
          value={target}
          error={faultAt('content')}
          onChange={({ target: { value } }) => set({ target: value })}
        />
      )}
      {isFetched && (
        <SourceFields
          env={at.env}
          source={source}
          faults={error === null ? [] : Problem.of(error).details}
          onChange={(next) => set({ source: next })}
        />
      )}
    </>
  );
}

/** What it begins with: what a link leads to, what is fetched, or a first line. */
function contentOf({ type, target, source }: Wish): Pick<DocWish, 'content' | 'source' | 'configuration'> {
  if (type === 'FOLDER') return {};
  if (type === 'LINK') return { content: target, configuration: { resourceType: 'external' } };
  return source === undefined ? { content: begins[type] ?? '' } : { source };
}
