import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { Button } from '../../kit/button.tsx';
import { TextField } from '../../kit/field.tsx';
import { Unplaced } from '../../kit/told.tsx';
import { Unsaved } from '../../kit/unsaved.tsx';
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
  const [password, setPassword] = useState('');
  const shown = { firstname: '', lastname: '', email: '', ...user, ...written };
  // A link to a password goes there.
  const asksPassword = isOwn && !['', user.email].includes(shown.email.trim());
  // An empty text is no name and no address: what is left out is cleared.
  const body = Object.fromEntries(
    (['displayName', 'firstname', 'lastname', 'email'] as const)
      .map((name) => [name, shown[name].trim()] as const)
      .filter(([, value]) => value !== ''),
  );
  const saving = useChange({
    change: () =>
      isOwn
        ? saveOwn({ ...body, ...(asksPassword && { currentPassword: password }) })
        : saveProfile(body, user.id),
    touches: [['users'], ['people'], ['me']],
    onDone: () => discard(),
  });
  const discard = (): void => {
    setWritten({});
    setPassword('');
  };
  const field = (name: keyof Profile) => ({
    value: shown[name],
    error: Problem.at(saving.error, name),
    maxLength: name === 'firstname' || name === 'lastname' ? 64 : 256,
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      setWritten((before) => ({ ...before, [name]: value })),
  });
  const isChanged = Object.keys(written).length > 0;
  const isReady = !saving.isPending && shown.displayName.trim() !== '' && (!asksPassword || password !== '');
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged && isReady) saving.mutate();
      }}
    >
      <fieldset className={styles['rows']} disabled={isReadOnly}>
        <TextField label="Name" hint="As others see it" {...field('displayName')} />
        <div className={styles['pair']}>
          <TextField label="First name" isOptional {...field('firstname')} />
          <TextField label="Last name" isOptional {...field('lastname')} />
        </div>
        <TextField label="Mail address" type="email" isOptional {...field('email')} />
        {asksPassword && <ProofField value={password} error={saving.error} onTyped={setPassword} />}
        <Unplaced error={saving.error} />
        {isChanged && <End isReady={isReady} onDiscard={discard} />}
      </fieldset>
    </form>
  );
}

const End = ({ isReady, onDiscard }: { readonly isReady: boolean; readonly onDiscard: () => void }) => (
  <div className={styles['end']}>
    <Unsaved />
    <Button onClick={onDiscard}>Discard</Button>
    <Button type="submit" look="primary" disabled={!isReady}>
      Save profile
    </Button>
  </div>
);

function ProofField({
  value,
  error,
  onTyped,
}: {
  readonly value: string;
  readonly error: unknown;
  readonly onTyped: (value: string) => void;
}) {
  return (
    <TextField
      label="Your password"
      type="password"
      autoComplete="current-password"
      hint="For another mail address: links to a password go there"
      value={value}
      error={Problem.at(error, 'currentPassword')}
      maxLength={1_024}
      onChange={({ target }) => onTyped(target.value)}
    />
  );
}

const saveOwn = (body: Schemas['OwnProfile']) =>
  answerOf(
    api.PUT('/management/organizations/{orgId}/user', { params: { path: { orgId: organization } }, body }),
  );

const saveProfile = (body: Partial<Profile>, userId: string) =>
  answerOf(
    api.PUT('/management/organizations/{orgId}/users/{userId}', {
      params: { path: { orgId: organization, userId } },
      body,
    }),
  );
