import { FlaskConical, Play } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { Button } from '../../../../kit/button.tsx';
import { AreaField, SelectField, TextField } from '../../../../kit/field.tsx';
import type { Loaded } from '../questions.ts';
import type { Shown } from '../studio.tsx';
import type { Designing } from '../use-design.ts';
import { TryResult } from './try-result.tsx';
import styles from './try.module.css';
import type { Trying, Wish } from './use-try.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map(
  (method) => [method, method] as const,
);

/** Where the draft's listener stands; what is typed comes behind it. */
function contextPathOf(api: Readonly<Record<string, unknown>>): string {
  const [listener] = Array.isArray(api['listeners'])
    ? (api['listeners'] as readonly { readonly paths?: readonly { readonly path?: unknown }[] }[])
    : [];
  const path = listener?.paths?.[0]?.path;
  return typeof path === 'string' && path !== '/' ? path : '';
}

/** One request through the draft: how it is written, and what became of it, step by step. */
export function TryStrip({
  trying,
  designing,
  loaded,
  onShow,
}: {
  readonly trying: Trying;
  readonly designing: Designing;
  readonly loaded: Loaded;
  readonly onShow: (shown: Shown) => void;
}) {
  const [hasMore, setMore] = useState(false);
  const { wish, set, problem, isRunning } = trying;
  const { saving, design } = designing;
  const isReady = saving.kind === 'kept' && !isRunning && problem === undefined;
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !isReady) return;
    event.preventDefault();
    trying.run();
  };
  return (
    <section className={styles['strip']} aria-label="Try the draft" onKeyDown={press}>
      <div className={styles['wish']}>
        <h2>
          <FlaskConical size={14} aria-hidden />
          Try the draft
        </h2>
        <div className={styles['line']}>
          <SelectField
            label="Method"
            options={methods}
            value={wish.method}
            onChange={({ target: { value } }) => set({ method: value })}
          />
          <TextField
            label="URL"
            className="mono"
            spellCheck={false}
            before={<span className="mono quiet">{contextPathOf(design.api)}</span>}
            value={wish.path}
            onChange={({ target: { value } }) => set({ path: value })}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && isReady) trying.run();
            }}
          />
        </div>
        <PlanField {...{ trying, loaded }} />
        {hasMore && <MoreFields trying={trying} />}
        <div className={styles['verbs']}>
          <Button aria-expanded={hasMore} onClick={() => setMore(!hasMore)}>
            {moreOf(wish)}
          </Button>
          <Button look="primary" disabled={!isReady} aria-keyshortcuts="Control+Enter" onClick={trying.run}>
            <Play size={14} aria-hidden />
            {isRunning ? 'Running' : saving.kind === 'kept' ? 'Run' : 'Saving first'}
          </Button>
        </div>
      </div>
      <TryResult {...{ trying, onShow }} />
    </section>
  );
}

/** What of a request is folded away, in a few words. */
function moreOf({ headers, body }: Wish): string {
  const lines = headers.split('\n').filter((line) => line.trim() !== '').length;
  const words = [
    ...(lines > 0 ? [`${lines} ${lines === 1 ? 'header' : 'headers'}`] : []),
    ...(body === '' ? [] : ['body']),
  ];
  return words.length === 0 ? 'Headers and body' : words.join(', ');
}

function MoreFields({ trying: { wish, set, problem } }: { readonly trying: Trying }) {
  return (
    <>
      <AreaField
        label="Headers"
        isOptional
        rows={3}
        placeholder="Accept: application/json"
        error={problem}
        value={wish.headers}
        onChange={({ target: { value } }) => set({ headers: value })}
      />
      <AreaField
        label="Body"
        isOptional
        rows={3}
        value={wish.body}
        onChange={({ target: { value } }) => set({ body: value })}
      />
    </>
  );
}

function PlanField({
  trying: { wish, set },
  loaded: { plans },
}: {
  readonly trying: Trying;
  readonly loaded: Loaded;
}) {
  if (plans.length < 2) return null;
  return (
    <SelectField
      label="As a caller of the plan"
      options={[['', 'That is open, or the first'], ...plans.map(({ id, name }) => [id, name] as const)]}
      value={wish.plan}
      onChange={({ target: { value } }) => set({ plan: value })}
    />
  );
}
