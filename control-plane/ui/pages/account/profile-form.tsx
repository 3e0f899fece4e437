import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { Button } from '../../kit/button.tsx';
import { TextField } from '../../kit/field.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import styles from './account.module.css';

type Profile = Pick<Schemas['UserAccount'], 'displayName' | 'firstname' | 'lastname' | 'email'>;

/** What is known of somebody; of oneself when it is one's own. */
export function ProfileForm({
  user,
  isOwn = false,
  isReadOnly = false,
}: {
  readonly user: Profile & { readonly id: string };
  readonly isOwn?: boolean;
  readonly isReadOnly?: boolean;
}) {
  const [written, setWritten] = useState<Partial<Profile>>({});
  const shown = { firstname: '', lastname: '', email: '', ...user, ...written };
  // An empty text is no name and no address: what is left out is cleared.
  const body = Object.fromEntries(
    (['displayName', 'firstname', 'lastname', 'email'] as const)
      .map((name) => [name, shown[name].trim()] as const)
      .filter(([, value]) => value !== ''),
  );
  const saving = useChange({
    change: () => saveProfile(body, isOwn ? undefined : user.id),
    touches: [['users'], ['people'], ['me']],
    onDone: () => setWritten({}),
  });
  const field = (name: keyof Profile) => ({
    value: shown[name],
    error: Problem.at(saving.error, name),
    maxLength: name === 'firstname' || name === 'lastname' ? 64 : 256,
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      setWritten((before) => ({ ...before, [name]: value })),
  });
  const isChanged = Object.keys(written).length > 0;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged && !saving.isPending) saving.mutate();
      }}
    >
      <fieldset className={styles['rows']} disabled={isReadOnly}>
        <TextField label="Name" hint="As others see it" {...field('displayName')} />
        <div className={styles['pair']}>
          <TextField label="First name" isOptional {...field('firstname')} />
          <TextField label="Last name" isOptional {...field('lastname')} />
        </div>
        <TextField label="Mail address" type="email" isOptional {...field('email')} />
        {saving.error !== null && <ProblemBox error={saving.error} />}
        {isChanged && (
          <div className={styles['end']}>
            <Button onClick={() => setWritten({})}>Discard</Button>
            <Button
              type="submit"
              look="primary"
              disabled={saving.isPending || shown.displayName.trim() === ''}
            >
              Save profile
            </Button>
          </div>
        )}
      </fieldset>
    </form>
  );
}

/** Of somebody, or one's own. */
function saveProfile(body: Partial<Profile>, userId: string | undefined) {
  const org = { orgId: organization };
  return userId === undefined
    ? answerOf(api.PUT('/management/organizations/{orgId}/user', { params: { path: org }, body }))
    : answerOf(
        api.PUT('/management/organizations/{orgId}/users/{userId}', {
          params: { path: { ...org, userId } },
          body,
        }),
      );
}
