import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Redo2, Undo2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Problem } from '../../../api/problem.ts';
import { Button, IconButton } from '../../../kit/button.tsx';
import { FormDialog } from '../../../kit/dialog.tsx';
import { Status } from '../../../kit/status.tsx';
import { Time } from '../../../kit/time.tsx';
import { ProblemBox } from '../../../kit/told.tsx';
import { discardDraft, saveDraft } from '../design/questions.ts';
import type { Designing } from '../design/use-design.ts';
import { oneApi } from '../questions.ts';
import { aheadWords, Compare, useAhead } from './changes.tsx';
import { DeployButton } from './deploying.tsx';
import styles from './draft.module.css';
import { FaultList } from './faults.tsx';

const route = getRouteApi('/$env/apis/$api');

/** How it is with a draft: kept or not, its faults that stand on another page, what can be done with it. */
export function DraftBar({
  designing,
  isStrange,
  isShown,
}: {
  readonly designing: Designing;
  /** What is kept cannot be drawn. */
  readonly isStrange: boolean;
  /** Whether the page shows a fault at its place. */
  readonly isShown: (location: string) => boolean;
}) {
  const { env, api: id } = route.useParams();
  const [isDiscarding, setDiscarding] = useState(false);
  const { savedAt, undo, redo, saving } = designing;
  const count = Object.values(designing.faults).reduce((sum, faults) => sum + faults.length, 0);
  const elsewhere = (designing.faults['api'] ?? []).filter(({ location }) => !isShown(location));
  const hasDraft = savedAt !== undefined;
  // Plans are no part of the draft: what is saved of them waits for a deployment all the same.
  const ahead = useAhead({ env, id });
  useShortcuts(designing);
  return (
    <div className={styles['draft']} data-tone={hasDraft || ahead !== undefined ? 'warn' : undefined}>
      <Saved {...{ designing, isStrange }} ahead={ahead && aheadWords(ahead.count)} />
      <span className={styles['grow']} />
      {count > 0 && (
        <Status tone="bad">
          {count} {count === 1 ? 'fault' : 'faults'}
        </Status>
      )}
      <IconButton label="Undo" disabled={undo === undefined} onClick={undo}>
        <Undo2 size={16} aria-hidden />
      </IconButton>
      <IconButton label="Redo" disabled={redo === undefined} onClick={redo}>
        <Redo2 size={16} aria-hidden />
      </IconButton>
      {ahead !== undefined && count === 0 && saving.kind === 'kept' && <Compare env={env} id={id} />}
      {hasDraft && (
        <Button size="small" look="quiet" onClick={() => setDiscarding(true)}>
          Discard
        </Button>
      )}
      {ahead !== undefined && (
        <DeployButton
          env={env}
          id={id}
          size="small"
          look="primary"
          {...(hasDraft && {
            before: () => saveDraft({ env, id }, designing.design.api, ''),
          })}
        />
      )}
      {saving.kind === 'failed' && <Failed {...{ designing }} error={saving.error} />}
      <FaultList env={env} id={id} faults={elsewhere} />
      {isDiscarding && <Discard onClose={() => setDiscarding(false)} />}
    </div>
  );
}

function Saved({
  designing: { saving, savedAt },
  isStrange,
  ahead,
}: {
  readonly designing: Designing;
  readonly isStrange: boolean;
  /** What of the API waits for a deployment, in words. */
  readonly ahead: string | undefined;
}) {
  if (isStrange)
    return (
      <Status tone="warn">The draft that is kept cannot be drawn; this is the API as it is stored.</Status>
    );
  return (
    <span role="status" className={styles['saved']}>
      {savedAt === undefined ? (
        <>
          {ahead !== undefined && <Status tone="warn">{ahead}</Status>}
          <span className="second">{saving.kind === 'kept' ? keptWords(ahead) : 'Saving'}</span>
        </>
      ) : (
        <>
          <Status tone="warn">Draft, not deployed</Status>
          <span className="quiet">
            {saving.kind === 'kept' ? (
              <>
                Saved <Time at={savedAt} />
              </>
            ) : (
              'Saving'
            )}
          </span>
        </>
      )}
    </span>
  );
}

const keptWords = (ahead: string | undefined): string =>
  ahead === undefined ? 'No draft: this is the API as it is stored.' : 'Saved';

/** What could not be kept, and how it goes on. */
function Failed({ designing, error }: { readonly designing: Designing; readonly error: unknown }) {
  const queries = useQueryClient();
  const { env, api: id } = route.useParams();
  const { status } = Problem.of(error);
  const isTaken = status === 412;
  return (
    <div className={styles['wide']}>
      {isTaken ? (
        <Status tone="bad">Not saved: somebody else has written here meanwhile.</Status>
      ) : (
        <ProblemBox error={error} />
      )}
      {status !== 400 && (
        <Button size="small" onClick={designing.retry}>
          {isTaken ? 'Save over it' : 'Try again'}
        </Button>
      )}
      {isTaken && (
        <Button
          size="small"
          onClick={() => void queries.resetQueries({ queryKey: ['api', env, id, 'design'] })}
        >
          Take theirs
        </Button>
      )}
    </div>
  );
}

function Discard({ onClose }: { readonly onClose: () => void }) {
  const { env, api: id } = route.useParams();
  const queries = useQueryClient();
  const discarding = useMutation({
    mutationFn: () => discardDraft({ env, id }),
    onSuccess: async () => {
      onClose();
      await Promise.all([
        queries.invalidateQueries({ ...oneApi({ env, id }), exact: true }),
        queries.resetQueries({ queryKey: ['api', env, id, 'design'] }),
      ]);
    },
  });
  return (
    <FormDialog
      title="Discard the draft?"
      about="Flows, entrypoints, backends, properties and resources become what is stored of them. Plans are kept as they are."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Discard draft', mutation: discarding, isDangerous: true }}
    />
  );
}

/** Ctrl-Z and Shift-Ctrl-Z outside of texts, which undo by themselves. */
function useShortcuts({ undo, redo }: Designing): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const isText =
        event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (isText || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
      event.preventDefault();
      if (event.shiftKey) redo?.();
      else undo?.();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [undo, redo]);
}
