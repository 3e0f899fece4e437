import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { chooseOrganization, organization, usualOrganization } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import { waysIn } from '../api/session.ts';
import { Button } from '../kit/button.tsx';
import { TextField } from '../kit/field.tsx';
import styles from './sign-in.module.css';

/** Into which organization one comes here, and the way into another one. */
export function OrganizationChoice() {
  const { error } = useQuery(waysIn);
  const isUnknown = error !== null && Problem.of(error).status === 404;
  const [isChoosing, setChoosing] = useState(false);
  const [name, setName] = useState('');
  const choose = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== '') chooseOrganization(name.trim());
  };
  if (!isChoosing && !isUnknown)
    return (
      <p className="second">
        {organization !== usualOrganization && (
          <>
            Organization <b>{organization}</b>.{' '}
          </>
        )}
        <button type="button" className="link" onClick={() => setChoosing(true)}>
          Another organization
        </button>
      </p>
    );
  return (
    <form className={styles['fields']} onSubmit={choose}>
      <TextField
        label="Organization"
        hint="Its readable id, as links to it have it"
        value={name}
        error={isUnknown && name === '' ? `There is no organization "${organization}" here.` : undefined}
        onChange={({ target }) => setName(target.value)}
        autoCapitalize="none"
        autoComplete="organization"
        maxLength={64}
        isLarge
      />
      <Button type="submit" size="large" isWide disabled={name.trim() === ''}>
        Go to its sign-in
      </Button>
      {organization !== usualOrganization && (
        <Button size="large" isWide look="quiet" onClick={() => chooseOrganization(usualOrganization)}>
          Back to the usual organization
        </Button>
      )}
    </form>
  );
}
