import { useNavigate } from '@tanstack/react-router';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useCreation } from '../../api/creation.ts';
import { FormDialog } from '../../kit/dialog.tsx';
import { ApplicationFields, blankWish, bodyOf, faultsOfWish, places } from './fields.tsx';

/** Makes an application, which belongs to whoever makes it; without `onMade` its page comes next. */
export function CreateApplication({
  env,
  isOpen,
  onClose,
  onMade,
}: {
  readonly env: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onMade?: (made: Schemas['Application']) => void;
}) {
  const navigate = useNavigate();
  const { wish, change, faults, close, submit } = useCreation({
    blank: blankWish,
    faultsOf: faultsOfWish,
    places,
    create: (written, key) =>
      answerOf(
        api.POST('/management/organizations/{orgId}/environments/{envId}/applications', {
          params: { path: { orgId: organization, envId: env }, header: { 'Idempotency-Key': key } },
          body: bodyOf(written),
        }),
      ),
    touches: [['applications', env]],
    onMade:
      onMade ??
      (({ id }) =>
        void navigate({ to: '/$env/applications/$application', params: { env, application: id } })),
    onClose,
  });
  return (
    <FormDialog
      title="Create application"
      isOpen={isOpen}
      onClose={close}
      submit={{ verb: 'Create application', ...submit }}
    >
      <ApplicationFields wish={wish} faults={faults} onChange={change} />
    </FormDialog>
  );
}
