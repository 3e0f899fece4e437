import { Dialog as Base } from '@base-ui/react/dialog';
import type { UseMutationResult } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { Problem } from '../api/problem.ts';
import { Button } from './button.tsx';
import { CopyAs } from './copy-as.tsx';
import styles from './dialog.module.css';
import { layers } from './layers.ts';
import { ProblemBox } from './told.tsx';
import { Unsaved } from './unsaved.tsx';

/** A question that has to be answered first: what it is, its fields, the verb that does it. */
export function FormDialog({
  title,
  about,
  isOpen,
  onClose,
  submit,
  leave = 'Cancel',
  children,
}: {
  readonly title: string;
  readonly about?: string | undefined;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly submit: {
    readonly verb: string;
    readonly mutation: Pick<UseMutationResult<unknown, Error, void>, 'mutate' | 'isPending' | 'error'> & {
      /** What it sends, which can be copied instead. */
      readonly change?: (() => Promise<unknown>) | undefined;
    };
    readonly isDangerous?: boolean;
    /** False while something that it needs is missing. */
    readonly isReady?: boolean;
    /** It holds what should lie in no clipboard and no history of a shell. */
    readonly isSecret?: boolean;
    /** What was refused and is said at none of the fields; without it, all that was. */
    readonly others?: Problem['details'] | undefined;
  };
  /** What closes it is called. */
  readonly leave?: string;
  readonly children?: ReactNode;
}) {
  const { mutate, isPending, error } = submit.mutation;
  const form = useRef<HTMLFormElement>(null);
  const [tries, setTries] = useState(0);
  const [isWritten, setWritten] = useState(false);
  useEffect(() => {
    if (!isOpen) setWritten(false);
  }, [isOpen]);
  useEffect(() => {
    // Whoever typed it is led to what is wrong with it, whether the page or the API says so.
    if (tries > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [tries, error]);
  const send = (event: FormEvent): void => {
    event.preventDefault();
    setTries((before) => before + 1);
    if (!isPending) mutate();
  };
  return (
    // A click beside it takes nothing away that somebody has written.
    <Frame {...{ title, about, isOpen, onClose }} isFirm={isWritten}>
      <form ref={form} onSubmit={send} onChange={() => setWritten(true)} noValidate>
        {isWritten && submit.isDangerous !== true && <Unsaved />}
        <div className={styles['inner']}>
          {children}
          {error !== null && <ProblemBox error={error} details={submit.others} />}
        </div>
        <div className={styles['foot']}>
          {submit.mutation.change !== undefined && submit.isSecret !== true && (
            <CopyAs change={submit.mutation.change} />
          )}
          <Button onClick={onClose}>{leave}</Button>
          <Button
            type="submit"
            look={submit.isDangerous === true ? 'danger' : 'primary'}
            disabled={isPending || submit.isReady === false}
          >
            {submit.verb}
          </Button>
        </div>
      </form>
    </Frame>
  );
}

/** Something to be read or chosen from, with what can be done about it in `actions`; when it is firm, a click beside it closes nothing. */
export function ToldDialog({
  actions,
  done = 'Done',
  isFirm = false,
  children,
  ...frame
}: FrameProps & {
  readonly actions?: ReactNode;
  readonly done?: string;
  readonly isFirm?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <Frame {...frame} isFirm={isFirm}>
      {/* Where it is longer than the window, a keyboard must be able to move it. */}
      <div className={styles['inner']} tabIndex={0} role="region" aria-label={frame.title}>
        {children}
      </div>
      <div className={styles['foot']}>
        {actions}
        <Button onClick={frame.onClose}>{done}</Button>
      </div>
    </Frame>
  );
}

/** Why something failed that was asked for outside a dialog, e.g. in a menu, until the reader has seen it. */
export const FailedDialog = ({
  title,
  of: { error, reset },
}: {
  readonly title: string;
  readonly of: { readonly error: Error | null; readonly reset: () => void };
}) => (
  <ToldDialog title={title} isOpen={error !== null} onClose={() => reset()} done="Close">
    <ProblemBox error={error} />
  </ToldDialog>
);

interface FrameProps {
  readonly title: string;
  readonly about?: string | undefined;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** What it shows needs room. */
  readonly isWide?: boolean;
}

function Frame({
  title,
  about,
  isOpen,
  onClose,
  isFirm = false,
  isWide = false,
  children,
}: FrameProps & { readonly isFirm?: boolean; readonly children: ReactNode }) {
  // Whoever closes it goes on where he was; what has taken focus by itself is not there yet.
  const opener = useMemo(() => (isOpen ? document.activeElement : null), [isOpen]);
  const back = useRef<Element>(null);
  if (opener !== null) back.current = opener;
  const goBack = (): HTMLElement | true =>
    back.current instanceof HTMLElement && back.current.isConnected && back.current !== document.body
      ? back.current
      : true;
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => open || onClose()} disablePointerDismissal={isFirm}>
      <Base.Portal container={layers()}>
        <Base.Backdrop className={styles['scrim']} />
        <Base.Popup className={styles['dialog']} data-wide={isWide || undefined} finalFocus={goBack}>
          <div className={styles['head']}>
            <Base.Title render={<h2 />}>{title}</Base.Title>
            {about !== undefined && about !== '' && <Base.Description>{about}</Base.Description>}
          </div>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** What an action does, in figures; a figure that is not known yet is a dash. */
export function Effects({
  effects,
}: {
  readonly effects: readonly (readonly [figure: string, effect: string])[];
}) {
  return (
    <ul className={styles['effects']} aria-label="What it does">
      {effects.map(([figure, effect]) => (
        <li key={effect}>
          <b className="num">{figure}</b>
          <span>{effect}</span>
        </li>
      ))}
    </ul>
  );
}
