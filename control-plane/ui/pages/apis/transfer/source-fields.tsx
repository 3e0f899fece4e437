import { useRef } from 'react';
import { Button } from '../../../kit/button.tsx';
import { AreaField, SwitchField, TextField } from '../../../kit/field.tsx';
import { Segments } from '../../../kit/segments.tsx';
import styles from '../inside.module.css';
import { kindOf } from './documents.ts';
import type { Source } from './source.ts';

const froms = [
  ['definition', 'Definition'],
  ['url', 'Definition at a URL'],
  ['openapi', 'OpenAPI document'],
  ['wsdl', 'WSDL'],
] as const;

/** What the text is called, and what helps whoever pastes it. */
const texts: Readonly<Record<'definition' | 'openapi' | 'wsdl', readonly [label: string, hint: string]>> = {
  definition: [
    'Definition',
    'An export or a definition of version 4 or 2, or a custom resource, as JSON or YAML; a file may be dropped here',
  ],
  openapi: ['OpenAPI document', 'Of version 2.0 to 3.1, as JSON or YAML; a file may be dropped here'],
  wsdl: ['WSDL', 'Of version 1.1, as XML; a flow calls each of its operations. A file may be dropped here'],
};

/** Where an import comes from: a file or text, or a URL; what it is is seen in its first lines. */
export function SourceFields({
  source,
  onChange,
}: {
  readonly source: Source;
  readonly onChange: (source: Source) => void;
}) {
  const set = (part: Partial<Source>): void => onChange({ ...source, ...part });
  return (
    <div className={styles['rows']}>
      <div>
        <Segments
          label="What it is"
          segments={froms}
          value={source.from}
          onChoose={(from) => set({ from })}
        />
      </div>
      {source.from === 'url' ? (
        <TextField
          label="URL"
          type="url"
          hint="Of a definition as JSON; the control plane fetches it, once"
          value={source.url}
          onChange={({ target: { value } }) => set({ url: value })}
        />
      ) : (
        <TextSource source={source} onChange={onChange} />
      )}
      {(source.from === 'openapi' || source.from === 'wsdl') && (
        <OpenApiFields source={source} onChange={onChange} />
      )}
    </div>
  );
}

function TextSource({
  source,
  onChange,
}: {
  readonly source: Source;
  readonly onChange: (source: Source) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [label, hint] = texts[source.from === 'url' ? 'definition' : source.from];
  const take = (text: string): void => onChange({ ...source, text, from: kindOf(text) });
  const read = (files: FileList | null): void => void files?.[0]?.text().then(take);
  return (
    <div
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        if (event.dataTransfer.files.length === 0) return;
        event.preventDefault();
        read(event.dataTransfer.files);
      }}
      className={styles['rows']}
    >
      <div>
        <Button size="small" onClick={() => input.current?.click()}>
          Choose a file
        </Button>
        <input
          ref={input}
          type="file"
          accept=".json,.yaml,.yml,.wsdl,.xml"
          hidden
          aria-label="File"
          onChange={({ target }) => {
            read(target.files);
            // The same file may be chosen again, changed.
            target.value = '';
          }}
        />
      </div>
      <AreaField
        label={label}
        hint={hint}
        rows={14}
        value={source.text}
        onChange={({ target: { value } }) =>
          // What is pasted is looked at, what is typed is not.
          source.text === '' ? take(value) : onChange({ ...source, text: value })
        }
      />
    </div>
  );
}

function OpenApiFields({
  source,
  onChange,
}: {
  readonly source: Source;
  readonly onChange: (source: Source) => void;
}) {
  const set = (part: Partial<Source>): void => onChange({ ...source, ...part });
  return (
    <>
      {source.from === 'openapi' && (
        <SwitchField
          label="A flow for each operation"
          isOn={source.hasFlows || source.hasMocks}
          onChange={(hasFlows) => set({ hasFlows, ...(!hasFlows && { hasMocks: false }) })}
        />
      )}
      <SwitchField
        label="Answer with the examples of the document"
        hint="Each flow gets a mock; the backend is not asked"
        isOn={source.hasMocks}
        onChange={(hasMocks) => set({ hasMocks })}
      />
      <SwitchField
        label="Hold requests and answers against it"
        hint="By the policy OpenAPI validation"
        isOn={source.isValidated}
        onChange={(isValidated) => set({ isValidated })}
      />
      <SwitchField
        label="Keep it as a page of the documentation"
        isOn={source.isKept}
        onChange={(isKept) => set({ isKept })}
      />
      <TextField
        label="Backend"
        isOptional
        type="url"
        hint="In place of the servers of the document; needed where none of them is absolute"
        value={source.target}
        onChange={({ target: { value } }) => set({ target: value })}
      />
    </>
  );
}
