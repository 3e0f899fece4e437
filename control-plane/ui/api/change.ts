import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type Said, say } from '../kit/toast.tsx';

/**
 * Something that is changed at the control plane; what pages show of it is asked anew when it was.
 *
 * Shape: each of `touches` is the beginning of keys under which answers are kept, e.g. `['groups', env]`.
 */
export function useChange<Answer>({
  change,
  touches,
  onDone,
  said,
}: {
  readonly change: () => Promise<Answer>;
  readonly touches: readonly (readonly string[])[];
  readonly onDone?: (answer: Answer) => void;
  /** What is said of it once it was done, where the page does not show it by itself. */
  readonly said?: ((answer: Answer) => Said) | undefined;
}) {
  const queries = useQueryClient();
  const askAnew = () => Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
  const mutation = useMutation({
    mutationFn: change,
    onSuccess: async (answer) => {
      await askAnew();
      onDone?.(answer);
      const done = said?.(answer);
      if (done === undefined) return;
      const { undo } = done;
      say(undo === undefined ? done : { ...done, undo: () => undo().then(askAnew) });
    },
  });
  /** What is sent, for whoever copies it. */
  return { ...mutation, change };
}
