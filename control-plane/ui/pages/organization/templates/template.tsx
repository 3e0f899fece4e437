import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../../api/change.ts';
import { Problem } from '../../../api/problem.ts';
import { useOrganizationRights } from '../../../api/rights.ts';
import { Button } from '../../../kit/button.tsx';
import { FormDialog } from '../../../kit/dialog.tsx';
import { AreaField, TextField } from '../../../kit/field.tsx';
import { Body, Columns, PageHeader, Panel, Unanswered } from '../../../kit/page.tsx';
import { Status, Tag } from '../../../kit/status.tsx';
import { Unplaced } from '../../../kit/told.tsx';
import { Unsaved } from '../../../kit/unsaved.tsx';
import { NotHere } from '../../../shell/not-here.tsx';
import styles from '../../account/account.module.css';
import preview from './template.module.css';
import {
  keyOf,
  previewTemplate,
  resetTemplate,
  saveTemplate,
  type Template,
  templates,
  typeWords,
} from './questions.ts';

const route = getRouteApi('/_org/templates/$template');
const touches = [['notification-templates']] as const;

/** The words of one mail or notification, and what they become. */
export function TemplatePage() {
  const { template: key } = route.useParams();
  const { data, error } = useQuery(templates);
  if (data === undefined) return <Unanswered title="Template" error={error} />;
  const found = data.find((each) => keyOf(each) === key);
  if (found === undefined) return <NotHere />;
  return <Editor key={`${key} ${found.updated_at ?? 0}`} template={found} />;
}

function Editor({ template }: { readonly template: Template }) {
  const may = useOrganizationRights();
  const [isResetting, setResetting] = useState(false);
  const { id } = template;
  const isOwn = id !== undefined && template.enabled;
  return (
    <>
      <PageHeader
        title={template.name}
        status={
          <Status tone={isOwn ? 'ok' : 'idle'} isPill>
            {isOwn ? 'Own' : 'Default'}
          </Status>
        }
        sub={<Tag>{typeWords[template.type]}</Tag>}
        actions={
          id !== undefined &&
          may('NOTIFICATION_TEMPLATES', 'D') && (
            <Button onClick={() => setResetting(true)}>Reset to default</Button>
          )
        }
      />
      <Body>
        <p className="second">{template.description}</p>
        <Words
          template={template}
          isReadOnly={!may('NOTIFICATION_TEMPLATES', id === undefined ? 'C' : 'U')}
        />
      </Body>
      {isResetting && id !== undefined && <Reset id={id} onClose={() => setResetting(false)} />}
    </>
  );
}

function Reset({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const resetting = useChange({ change: () => resetTemplate(id), touches, onDone: onClose });
  return (
    <FormDialog
      title="Reset to default?"
      about="The words of the organization are deleted, and those of the product are said from now on."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Reset to default', mutation: resetting, isDangerous: true }}
    />
  );
}

function Words({ template, isReadOnly }: { readonly template: Template; readonly isReadOnly: boolean }) {
  const [written, setWritten] = useState(template);
  const isChanged = written.title !== template.title || written.content !== template.content;
  const saving = useChange({ change: () => saveTemplate(written), touches });
  const looking = useChange({ change: () => previewTemplate(written), touches: [] });
  const failed = saving.error ?? looking.error;
  const field = (name: 'title' | 'content') => ({
    value: written[name],
    error: Problem.at(failed, name),
    disabled: isReadOnly,
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) => {
      saving.reset();
      looking.reset();
      setWritten((before) => ({ ...before, [name]: value }));
    },
  });
  const isMail = template.type === 'EMAIL';
  return (
    <Columns>
      <Panel title="Words">
        <form
          className={styles['rows']}
          onSubmit={(event) => {
            event.preventDefault();
            if (isChanged) saving.mutate();
          }}
        >
          <TextField label={isMail ? 'Subject' : 'Title'} maxLength={512} {...field('title')} />
          <AreaField
            label={isMail ? 'Content, as HTML' : 'Message'}
            rows={12}
            spellCheck={false}
            {...field('content')}
          />
          <p className="second">It can say {template.given.map((name) => `\${${name}}`).join(', ')}.</p>
          <Unplaced error={failed} />
          {isChanged && <Unsaved />}
          <div className={styles['end']}>
            <Button type="button" disabled={looking.isPending} onClick={() => looking.mutate()}>
              Preview
            </Button>
            <Button type="submit" look="primary" disabled={isReadOnly || !isChanged || saving.isPending}>
              Save
            </Button>
          </div>
        </form>
      </Panel>
      <Panel title="Preview">
        {looking.data === undefined ? (
          <p className="second">What the words become, with made-up names.</p>
        ) : (
          <div className={styles['rows']}>
            <b>{looking.data.title}</b>
            <p className={preview['text']}>{looking.data.text}</p>
          </div>
        )}
      </Panel>
    </Columns>
  );
}
