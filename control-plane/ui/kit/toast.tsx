import { Check, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Problem } from '../api/problem.ts';
import { Button, IconButton } from './button.tsx';
import styles from './toast.module.css';

/** What was done, in a sentence, e.g. `The subscription of Demo shop is paused`. */
export interface Said {
  readonly text: string;
  /** The way to what it made. */
  readonly link?: ReactNode;
  /** Takes it back. */
  readonly undo?: () => Promise<unknown>;
}

interface Toast extends Said {
  readonly id: number;
}

/** How long one stands, while nobody points at it or stands in it. */
const shownMs = 10_000;
/** The oldest gives way. */
const toastsMax = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function put(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

const take = (id: number): void => put(toasts.filter((toast) => toast.id !== id));

/** Says at the edge of the page what was done; it goes by itself. */
export function say(said: Said): void {
  lastId += 1;
  put([...toasts, { ...said, id: lastId }].slice(-toastsMax));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Where what was done is said, whatever page it was done on.
 *
 * Those of the components that pages are made of are dialogs, to which a screen reader is led away; these are read out where somebody is.
 */
export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className={styles['toasts']} role="status" aria-label="What was done">
      {shown.map((toast) => (
        <One key={toast.id} {...toast} />
      ))}
    </div>
  );
}

function One({ id, text, link, undo }: Toast) {
  const [isHeld, setHeld] = useState(false);
  const [undoing, setUndoing] = useState<'asked' | Problem>();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isHeld || undoing !== undefined) return undefined;
    const timer = setTimeout(() => take(id), shownMs);
    return () => clearTimeout(timer);
  }, [id, isHeld, undoing]);
  const takeBack = async (): Promise<void> => {
    setUndoing('asked');
    try {
      await undo?.();
      take(id);
    } catch (error) {
      setUndoing(Problem.of(error));
    }
  };
  return (
    <div
      ref={box}
      className={styles['toast']}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(box.current?.contains(document.activeElement) === true)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(box.current?.matches(':hover') === true)}
    >
      {undoing instanceof Problem ? null : <Check size={16} aria-hidden />}
      <p>{undoing instanceof Problem ? `It was not undone. ${undoing.message}` : text}</p>
      {link}
      {undo !== undefined && !(undoing instanceof Problem) && (
        <Button size="small" disabled={undoing === 'asked'} onClick={() => void takeBack()}>
          Undo
        </Button>
      )}
      <IconButton label="Dismiss" onClick={() => take(id)}>
        <X size={14} aria-hidden />
      </IconButton>
    </div>
  );
}
