import { useIsMutating, useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { Button } from '../kit/button.tsx';
import { ToldDialog } from '../kit/dialog.tsx';
import { isAnythingUnsaved } from '../kit/unsaved.tsx';

/**
 * The question that is asked of whoever leaves a page on which something is written and not saved, by whatever way: a link, a tab, the palette, back.
 * Reloading and closing the window, the browser asks itself.
 */
export function LeaveGuard() {
  const queries = useQueryClient();
  // What was just saved leads on by itself.
  const isSaving = useIsMutating() > 0;
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isAnythingUnsaved() &&
      queries.isMutating() === 0 &&
      current.pathname !== next.pathname &&
      // Who signs out means it; a session that ends by itself leads nowhere (`session-guard.tsx`).
      next.pathname !== '/sign-in',
    enableBeforeUnload: () => isAnythingUnsaved() && !isSaving,
    withResolver: true,
  });
  return (
    <ToldDialog
      title="Leave without saving?"
      isOpen={status === 'blocked'}
      onClose={() => reset?.()}
      done="Stay here"
      actions={
        <Button look="danger" onClick={() => proceed?.()}>
          Leave without saving
        </Button>
      }
    >
      <p>What you have written on this page is not saved, and is lost when you leave it.</p>
    </ToldDialog>
  );
}
