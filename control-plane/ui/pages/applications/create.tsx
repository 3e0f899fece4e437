import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import { FormDialog } from '../../kit/dialog.tsx';
import { ApplicationFields, blankWish, bodyOf, faultsOfWish, places, type Wish } from './fields.tsx';

/** Makes an application, which belongs to whoever makes it. */
export function CreateApplication({
  env,
  isOpen,
  onClose,
}: {
  readonly env: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [wish, setWish] = useState(blankWish);
  const [isTried, setTried] = useState(false);
  const creating = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/environments/{envId}/applications', {
          params: { path: { orgId: organization, envId: env } },
          body: bodyOf(wish),
        }),
      ),
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries({ queryKey: ['applications', env] });
      close();
      setWish(blankWish);
      await navigate({ to: '/$env/applications/$application', params: { env, application: id } });
    },
  });
  const change = (part: Partial<Wish>): void => {
    creating.reset();
    setWish((before) => ({ ...before, ...part }));
  };
  const close = (): void => {
    setTried(false);
    creating.reset();
    onClose();
  };
  const seen = faultsOfWish(wish);
  const told = creating.error === null ? undefined : Problem.of(creating.error).at(places);
  const send = (): void => {
    setTried(true);
    if (Object.keys(seen).length === 0) creating.mutate();
  };
  return (
    <FormDialog
      title="Create application"
      isOpen={isOpen}
      onClose={close}
      submit={{
        verb: 'Create application',
        mutation: { ...creating, mutate: send },
        others: told?.others,
      }}
    >
      <ApplicationFields wish={wish} faults={isTried ? { ...told?.faults, ...seen } : {}} onChange={change} />
    </FormDialog>
  );
}
