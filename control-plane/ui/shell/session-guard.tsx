import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { whoAmI } from '../api/session.ts';
import { settle, standFor, type Standing, standing } from '../api/standing.ts';
import { Button } from '../kit/button.tsx';
import { ToldDialog } from '../kit/dialog.tsx';
import { say } from '../kit/toast.tsx';
import { giveUpUnsaved, isAnythingUnsaved } from '../kit/unsaved.tsx';

/** What the page that is made anew says of who is signed in. */
const saidAnew = 'session-said';

/**
 * What happens on a page whose session ends, or becomes somebody else's in another tab: it leads to sign-in, or is made anew for the other one.
 * Where something is written and not saved, that stays, and a dialog says how to go on.
 */
export function SessionGuard() {
  const now = standing.use();
  const queries = useQueryClient();
  const router = useRouter();
  const [asked, setAsked] = useState<Standing>();
  useEffect(() => {
    const said = sessionStorage.getItem(saidAnew);
    if (said === null) return;
    sessionStorage.removeItem(saidAnew);
    say({ text: said });
  }, []);
  useEffect(() => {
    if (now.kind === 'in') return setAsked(undefined);
    if (isAnythingUnsaved()) return setAsked(now);
    if (now.kind === 'other') return beginAnew(now.name);
    standFor(undefined);
    queries.setQueryData(whoAmI.queryKey, null);
    void router.invalidate();
  }, [now, queries, router]);
  return <Question asked={asked} onClose={() => setAsked(undefined)} />;
}

function Question({
  asked,
  onClose,
}: {
  readonly asked: Standing | undefined;
  readonly onClose: () => void;
}) {
  const { data: me } = useQuery(whoAmI);
  const [answer, setAnswer] = useState('');
  useEffect(() => setAnswer(''), [asked]);
  const name = me?.displayName ?? '';
  const goOn = (): void => {
    settle().then(
      (isReader) => setAnswer(isReader ? '' : `${name} is not signed in yet.`),
      () => setAnswer('The control plane does not say who is signed in. Try again.'),
    );
  };
  const other = asked?.kind === 'other' ? asked.name : undefined;
  return (
    <ToldDialog
      title={other === undefined ? 'You are signed out' : `${other} is signed in now`}
      isOpen={asked !== undefined}
      onClose={onClose}
      isFirm
      done="Stay here"
      actions={
        <>
          {other !== undefined && (
            <Button look="danger" onClick={() => beginAnew(other)}>
              Leave without saving
            </Button>
          )}
          <Button look="primary" onClick={goOn}>
            I have signed in
          </Button>
        </>
      }
    >
      <p>
        {other === undefined
          ? 'Your session has ended. What you have written on this page is not saved, and stays here.'
          : `Another tab of this browser has signed in ${other}. This page is ${name}’s: nothing of it is sent while somebody else is signed in. What you have written is not saved, and stays here.`}
      </p>
      <p>
        <a className="link" href="/console/sign-in" target="_blank" rel="noopener">
          Sign in as {name} in another tab
        </a>
        , come back, and save it.
      </p>
      {answer !== '' && <p role="alert">{answer}</p>}
    </ToldDialog>
  );
}

/** What is shown and kept is the former reader's, so that all of it goes. */
function beginAnew(name: string): void {
  giveUpUnsaved();
  sessionStorage.setItem(saidAnew, `You are signed in as ${name} now, as in another tab of this browser.`);
  location.reload();
}
