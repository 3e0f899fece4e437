import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type Said, say } from '../kit/toast.tsx';
import { Problem } from './problem.ts';
import type { Written } from './written.ts';

/**
 * Something that is changed at the control plane; what pages show of it is asked anew when it was.
 *
 * Shape: each of `touches` is the beginning of keys under which answers are kept, e.g. `['groups', env]`.
 */
export function useChange<Answer>({
  change,
  touches,
  written,
  onDone,
  said,
}: {
  readonly change: () => Promise<Answer>;
  readonly touches: readonly (readonly string[])[];
  /** What it saves, of which only what came meanwhile is still written once it is done. */
  readonly written?: Pick<Written<object>, 'goes'>;
  readonly onDone?: (answer: Answer) => void;
  /** What is said of it once it was done, where the page does not show it by itself. */
  readonly said?: ((answer: Answer) => Said) | undefined;
}) {
  const queries = useQueryClient();
  const askAnew = () => Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
  const mutation = useMutation({
    mutationFn: async () => {
      try {
        return await change();
      } catch (error) {
        if (written === undefined || Problem.of(error).status !== 412) throw error;
        await askAnew();
        written.goes('taken');
        throw Problem.taken();
      }
    },
    onMutate: () => written?.goes('sent'),
    onSuccess: async (answer) => {
      await askAnew();
      written?.goes('saved');
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
