import { useEffect, useId } from 'react';

/** Forms on the page that hold what nobody has saved. */
const written = new Set<string>();

export const isAnythingUnsaved = (): boolean => written.size > 0;

/** For who leaves the page as a whole and was asked already: the browser asks nothing more. */
export const giveUpUnsaved = (): void => written.clear();

/** Says, as long as it is drawn, that something here is written and not saved: whoever leaves is asked first (`shell/leave-guard.tsx`). */
export function Unsaved(): null {
  const id = useId();
  useEffect(() => {
    written.add(id);
    return () => void written.delete(id);
  }, [id]);
  return null;
}
