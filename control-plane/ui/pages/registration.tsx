import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, organization } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import { Button } from '../kit/button.tsx';
import { TextField } from '../kit/field.tsx';
import { Unplaced } from '../kit/told.tsx';
import { BackToSignIn, type FollowedLink, linkOf, sending } from './passwords.tsx';
import { Entrance } from './sign-in.tsx';
import styles from './sign-in.module.css';

const nothing = { email: '', firstname: '', lastname: '' };

/** For who has no account; the page says the same whoever there is. */
export function Register() {
  const [written, setWritten] = useState(nothing);
  const asking = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/registration', {
          params: { path: { orgId: organization } },
          body: written,
        }),
      ),
  });
  const field = (name: keyof typeof written) => ({
    value: written[name],
    error: Problem.at(asking.error, name),
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      setWritten((before) => ({ ...before, [name]: value })),
    required: true,
    isLarge: true,
  });
  return (
    <Entrance title="Create an account">
      <div className={styles['form']}>
        <h1>Create an account</h1>
        {asking.isSuccess ? (
          <p role="status">
            A mail is on its way to {asking.data.email}. The link in it lasts a day; with it you choose a
            password.
          </p>
        ) : (
          <form className={styles['fields']} onSubmit={sending(() => asking.mutate())}>
            <TextField
              label="Mail address"
              type="email"
              autoComplete="email"
              maxLength={128}
              autoFocus
              {...field('email')}
            />
            <TextField label="First name" autoComplete="given-name" maxLength={64} {...field('firstname')} />
            <TextField label="Last name" autoComplete="family-name" maxLength={64} {...field('lastname')} />
            <Unplaced error={asking.error} />
            <Button type="submit" look="primary" size="large" isWide disabled={asking.isPending}>
              Create account
            </Button>
          </form>
        )}
        <BackToSignIn />
      </div>
    </Entrance>
  );
}

/** A first password for who comes by the link; then he comes in, or waits. */
export function FinishRegistration() {
  const [link] = useState(() => linkOf(location.hash));
  const [password, setPassword] = useState('');
  const ending = useMutation({
    mutationFn: ({ orgId, token }: FollowedLink) =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/registration/finalize', {
          params: { path: { orgId } },
          body: { token, password },
        }),
      ),
  });
  const isStale = ending.error !== null && Problem.of(ending.error).code === 'passwordLink.invalid';
  return (
    <Entrance title="Finish your registration">
      <div className={styles['form']}>
        <h1>Finish your registration</h1>
        {ending.isSuccess ? (
          <p role="status">
            {ending.data.status === 'ACTIVE'
              ? `Your account is ready. Sign in as ${ending.data.email}.`
              : 'Your account waits until somebody approves it. You will get a mail then.'}
          </p>
        ) : link === undefined || isStale ? (
          <p role="alert" className={styles['problem']}>
            The link is not right, was used before, or is too old.{' '}
            <Link to="/register" className="link">
              Begin again
            </Link>
          </p>
        ) : (
          <form className={styles['fields']} onSubmit={sending(() => ending.mutate(link))}>
            <TextField
              label="Password"
              hint="12 to 256 characters"
              type="password"
              value={password}
              onChange={({ target: { value } }) => setPassword(value)}
              autoComplete="new-password"
              maxLength={256}
              required
              autoFocus
              isLarge
              error={Problem.at(ending.error, 'password')}
            />
            <Unplaced error={ending.error} />
            <Button type="submit" look="primary" size="large" isWide disabled={ending.isPending}>
              Finish registration
            </Button>
          </form>
        )}
        <BackToSignIn />
      </div>
    </Entrance>
  );
}
