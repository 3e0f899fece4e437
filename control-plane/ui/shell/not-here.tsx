import { Link, useRouter } from '@tanstack/react-router';
import { Body } from '../kit/page.tsx';
import { Empty, ProblemBox } from '../kit/told.tsx';
import { buttonLook } from '../kit/button.tsx';

/** An address that leads to nothing. */
export function NotHere() {
  return (
    <main>
      <Empty
        title="There is nothing here"
        isPage
        action={
          <Link to="/" className={buttonLook.plain}>
            Go to the overview
          </Link>
        }
      >
        The address leads to nothing, or to something that you may not see.
      </Empty>
    </main>
  );
}

/** A page that could not be made. */
export function Unwell({ error }: { readonly error: unknown }) {
  const router = useRouter();
  return (
    <main>
      <Body>
        <h1 className="hidden">The page could not be made</h1>
        <ProblemBox error={error} onRetry={() => void router.invalidate()} />
      </Body>
    </main>
  );
}
