import { Check, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Problem } from '../api/problem.ts';
import { Button, IconButton } from './button.tsx';
import { createOutside } from './outside.ts';
import styles from './toast.module.css';

/** What was done, in a sentence, e.g. `The subscription of Demo shop is paused`. */
export interface Said {
  readonly text: string;
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

const toasts = createOutside<readonly Toast[]>([]);
let lastId = 0;

const take = (id: number): void => toasts.put(toasts.get().filter((toast) => toast.id !== id));

/** Says at the edge of the page what was done; it goes by itself. */
export function say(said: Said): void {
  lastId += 1;
  toasts.put([...toasts.get(), { ...said, id: lastId }].slice(-toastsMax));
}

/**
 * Where what was done is said, whatever page it was done on.
 *
 * Those of the components that pages are made of are dialogs, to which a screen reader is led away; these are read out where somebody is.
 */
export function Toasts() {
  const shown = toasts.use();
  return (
    <div className={styles['toasts']} role="status" aria-label="What was done">
      {shown.map((toast) => (
        <One key={toast.id} {...toast} />
      ))}
    </div>
  );
}

function One({ id, text, undo }: Toast) {
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
