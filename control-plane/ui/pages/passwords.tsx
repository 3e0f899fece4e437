import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { api, answerOf, organization } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import { Button } from '../kit/button.tsx';
import { TextField } from '../kit/field.tsx';
import { ProblemBox, Unplaced } from '../kit/told.tsx';
import { Entrance } from './sign-in.tsx';
import styles from './sign-in.module.css';

/** Sends a link to whoever has lost the password; the page says the same whoever there is. */
export function ForgotPassword() {
  const [username, setUsername] = useState('');
  const asking = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/_reset_password', {
          params: { path: { orgId: organization } },
          body: { username },
        }),
      ),
  });
  return (
    <Entrance title="Forgot your password?">
      <div className={styles['form']}>
        <h1>Forgot your password?</h1>
        {asking.isSuccess ? (
          <p role="status">
            If somebody here has that name or mail address, a mail with a link is on its way. The link lasts
            an hour and counts once.
          </p>
        ) : (
          <form className={styles['fields']} onSubmit={sending(() => asking.mutate())}>
            <TextField
              label="User name or mail address"
              value={username}
              onChange={({ target: { value } }) => setUsername(value)}
              autoComplete="username"
              autoCapitalize="none"
              maxLength={256}
              required
              autoFocus
              isLarge
            />
            {asking.error !== null && <ProblemBox error={asking.error} />}
            <Button type="submit" look="primary" size="large" isWide disabled={asking.isPending}>
              Send a link
            </Button>
          </form>
        )}
        <BackToSignIn />
      </div>
    </Entrance>
  );
}

/** What a link holds behind `#`: the organization, and what proves that the mail was read. */
export interface FollowedLink {
  readonly orgId: string;
  readonly token: string;
}

/** The link by which somebody came. */
export function linkOf(hash: string): FollowedLink | undefined {
  const [, orgId = '', token = ''] = /^#([\w-]+)\/([\w-]+)$/.exec(hash) ?? [];
  return token === '' ? undefined : { orgId, token };
}

/** Another password, or a first one, for who comes by a link that was sent. */
export function NewPassword() {
  const [link] = useState(() => linkOf(location.hash));
  const [password, setPassword] = useState('');
  const choosing = useMutation({
    mutationFn: ({ orgId, token }: FollowedLink) =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/_change_password', {
          params: { path: { orgId } },
          body: { token, password },
        }),
      ),
  });
  const isStale = choosing.error !== null && Problem.of(choosing.error).code === 'passwordLink.invalid';
  return (
    <Entrance title="Choose a password">
      <div className={styles['form']}>
        <h1>Choose a password</h1>
        {choosing.isSuccess ? (
          <p role="status">The password is set, and all sessions have ended. Sign in with it.</p>
        ) : link === undefined || isStale ? (
          <p role="alert" className={styles['problem']}>
            The link is not right, was used before, or is too old.{' '}
            <Link to="/forgot-password" className="link">
              Ask for another one
            </Link>
          </p>
        ) : (
          <form className={styles['fields']} onSubmit={sending(() => choosing.mutate(link))}>
            <TextField
              label="New password"
              hint="12 to 256 characters"
              type="password"
              value={password}
              onChange={({ target: { value } }) => setPassword(value)}
              autoComplete="new-password"
              maxLength={256}
              required
              autoFocus
              isLarge
              error={Problem.at(choosing.error, 'password')}
            />
            <Unplaced error={choosing.error} />
            <Button type="submit" look="primary" size="large" isWide disabled={choosing.isPending}>
              Set password
            </Button>
          </form>
        )}
        <BackToSignIn />
      </div>
    </Entrance>
  );
}

/** Sends a form by what is done, and not by the browser. */
export const sending =
  (send: () => void) =>
  (event: FormEvent): void => {
    event.preventDefault();
    send();
  };

/** The way back, or on. */
export const BackToSignIn = () => (
  <p className="second">
    <Link to="/sign-in">To the sign-in page</Link>
  </p>
);
