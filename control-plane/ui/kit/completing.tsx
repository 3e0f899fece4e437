import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import menus from './menu.module.css';

/**
 * Whether what completes a field is shown.
 *
 * The popup of the components hides the page around it from screen readers while keys still lead there; this one does not, so it says by
 * itself when it has gone.
 */
export function useCompleting(): {
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
  readonly actionsRef: RefObject<{ unmount: () => void; close: () => void } | null>;
  /** Of the field. */
  readonly onBlur: () => void;
} {
  const [isOpen, setOpen] = useState(false);
  const actionsRef = useRef<{ unmount: () => void; close: () => void }>(null);
  useEffect(() => {
    if (!isOpen) actionsRef.current?.unmount();
  }, [isOpen]);
  return { isOpen, setOpen, actionsRef, onBlur: () => setOpen(false) };
}

/** The frame of what completes a field, as wide as that is; a click in it leaves the caret where it is. */
export const Completions = ({ children }: { readonly children: ReactNode }) => (
  <div
    role="presentation"
    className={`${menus['popup']} ${menus['asWide']}`}
    onMouseDown={(event) => event.preventDefault()}
  >
    {children}
  </div>
);
