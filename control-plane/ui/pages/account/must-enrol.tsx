import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { signOut } from '../../api/session.ts';
import { Button } from '../../kit/button.tsx';
import { Entrance } from '../sign-in.tsx';
import styles from '../sign-in.module.css';
import { SetUp } from './set-up.tsx';

const route = getRouteApi('/second-factor');

/** All that is open to who comes by a password where the organization asks for more. */
export function MustEnrol() {
  const { back } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const [isSettingUp, setSettingUp] = useState(false);
  const lead = (to: string): void => router.history.push(`${router.basepath}${to}`);
  return (
    <Entrance title="Set up a second factor">
      <div className={styles['form']}>
        <h1>One more step</h1>
        <p>
          Your organization asks everybody who has a password for a second factor: a code of an authenticator
          app. You need the app, and a minute.
        </p>
        <Button look="primary" size="large" isWide onClick={() => setSettingUp(true)}>
          Set up a second factor
        </Button>
        <p className="second">
          <button
            type="button"
            className="link"
            onClick={() => void signOut(queries).then(() => lead('/sign-in'))}
          >
            Sign out
          </button>
        </p>
      </div>
      {isSettingUp && (
        <SetUp
          onClose={() => setSettingUp(false)}
          onDone={() => {
            queries.clear();
            lead(back ?? '/');
          }}
        />
      )}
    </Entrance>
  );
}
