import { useMutation, useQueryClient } from '@tanstack/react-query';

/**
 * Something that is changed at the control plane; what pages show of it is asked anew when it was.
 *
 * Shape: each of `touches` is the beginning of keys under which answers are kept, e.g. `['groups', env]`.
 */
export function useChange<Answer>({
  change,
  touches,
  onDone,
}: {
  readonly change: () => Promise<Answer>;
  readonly touches: readonly (readonly string[])[];
  readonly onDone?: (answer: Answer) => void;
}) {
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: change,
    onSuccess: async (answer) => {
      await Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
      onDone?.(answer);
    },
  });
  /** What is sent, for whoever copies it. */
  return { ...mutation, change };
}
