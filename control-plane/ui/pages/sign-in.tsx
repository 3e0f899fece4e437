import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { Eye, EyeOff, Moon, Sun } from 'lucide-react';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { Problem } from '../api/problem.ts';
import type { Schemas } from '../api/management.generated.ts';
import { identityProviders, signIn, waysIn } from '../api/session.ts';
import { Button, buttonLook, IconButton } from '../kit/button.tsx';
import { TextField } from '../kit/field.tsx';
import { ProblemBox } from '../kit/told.tsx';
import { Mark } from '../shell/mark.tsx';
import { useTheme } from '../shell/theme.ts';
import { OrganizationChoice } from './sign-in-organization.tsx';
import styles from './sign-in.module.css';

const route = getRouteApi('/sign-in');

/** Where everybody comes in. */
export const SignIn = () => (
  <Entrance title="Sign in">
    <Ways />
  </Entrance>
);

/** What stands around whatever is asked of who is not in yet. */
export function Entrance({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const [theme, toggle] = useTheme();
  useEffect(() => {
    document.title = `${title} · Isthmus`;
  }, [title]);
  return (
    <div className={styles['sign']}>
      <main className={styles['side']}>
        <div className={styles['brand']}>
          <Mark />
          Isthmus
          <IconButton
            label={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
            onClick={toggle}
          >
            {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
          </IconButton>
        </div>
        {children}
        <p className={styles['version']}>Isthmus {String(import.meta.env.VITE_ISTHMUS_VERSION)}</p>
      </main>
      <aside className={styles['art']} aria-label="About">
        <Isthmus />
        <p>
          Control side<span>plans, policies, revisions</span>
        </p>
        <p>
          Your networks<span>gateways that dial out</span>
        </p>
      </aside>
    </div>
  );
}

/** By password, by somebody else, or by both. */
function Ways() {
  const { problem } = route.useSearch();
  const { data: ways } = useQuery(waysIn);
  const { data: providers = [] } = useQuery(identityProviders);
  const [isBrokenGlass, setBrokenGlass] = useState(false);
  // Where nobody says, passwords are asked for: they are judged elsewhere.
  const areAllowed = ways?.authentication.localLogin.enabled ?? true;
  const isAsked = areAllowed || isBrokenGlass;
  return (
    <div className={styles['form']}>
      <h1>Sign in</h1>
      {problem !== undefined && (
        <p role="alert" className={styles['problem']}>
          {problems.get(problem) ?? problems.get('failed')}
          {problem === 'unavailable' && areAllowed && ' Passwords work as ever.'}
        </p>
      )}
      {isAsked && <Passwords />}
      {isAsked && providers.length > 0 && <p className={styles['or']}>or</p>}
      {!isAsked && providers.length === 0 && (
        <p>Passwords open nothing here, and no identity provider lets anybody in.</p>
      )}
      <Providers providers={providers} isOnlyWay={!isAsked} />
      {ways?.authentication.passwordReset.enabled === true && (
        <p className="second">
          <Link to="/forgot-password">Forgot your password?</Link>
        </p>
      )}
      {ways?.management.userCreation.enabled === true && (
        <p className="second">
          No account yet? <Link to="/register">Create one</Link>
        </p>
      )}
      {areAllowed ? (
        <p className="second">
          No account, or the password is lost? Ask an administrator; on the machine of the control plane:{' '}
          <span className="mono">isthmus reset-password {'<user>'}</span>
        </p>
      ) : (
        <p className="second">
          No way in? On the machine of the control plane,{' '}
          <span className="mono">isthmus break-glass {'<user>'}</span> gives an administrator a password for a
          day.{' '}
          {!isBrokenGlass && (
            <button type="button" className="link" onClick={() => setBrokenGlass(true)}>
              Sign in with that password
            </button>
          )}
        </p>
      )}
      <OrganizationChoice />
    </div>
  );
}

function Passwords() {
  const { back } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [isShown, setShown] = useState(false);
  const [code, setCode] = useState<string>();
  const entering = useMutation({
    mutationFn: () => signIn(queries, { name, password, ...(code !== undefined && { code }) }),
    // Where somebody came from is an address within the console.
    onSuccess: () => router.history.push(`${router.basepath}${back ?? '/'}`),
    onError: (error) => {
      if (Problem.of(error).code === 'signIn.codeRequired') setCode('');
    },
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    entering.mutate();
  };
  const isWrong = entering.error !== null && Problem.of(entering.error).code === 'request.unauthorized';
  if (code !== undefined)
    return (
      <CodeForm
        code={code}
        entering={entering}
        onChange={setCode}
        onSubmit={send}
        onLeave={() => {
          entering.reset();
          setCode(undefined);
        }}
      />
    );
  return (
    <form className={styles['fields']} onSubmit={send}>
      <TextField
        label="User name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        required
        autoFocus
        isLarge
      />
      <TextField
        label="Password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        type={isShown ? 'text' : 'password'}
        autoComplete="current-password"
        required
        isLarge
        error={isWrong ? 'User name or password are wrong.' : undefined}
        after={
          <IconButton
            label={isShown ? 'Hide the password' : 'Show the password'}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? <EyeOff size={14} aria-hidden /> : <Eye size={14} aria-hidden />}
          </IconButton>
        }
      />
      {entering.error !== null && !isWrong && <ProblemBox error={entering.error} />}
      <Button type="submit" look="primary" size="large" isWide disabled={entering.isPending}>
        Sign in
      </Button>
    </form>
  );
}

/** Beside a password that is right. */
function CodeForm({
  code,
  entering: { error, isPending },
  onChange,
  onSubmit,
  onLeave,
}: {
  readonly code: string;
  readonly entering: { readonly error: Error | null; readonly isPending: boolean };
  readonly onChange: (code: string) => void;
  readonly onSubmit: (event: FormEvent) => void;
  readonly onLeave: () => void;
}) {
  const refused = error === null ? undefined : Problem.of(error).code;
  const isWrong = refused === 'signIn.codeWrong';
  return (
    <form className={styles['fields']} onSubmit={onSubmit}>
      <TextField
        label="Code"
        hint="Six digits of your authenticator app, or a recovery code"
        value={code}
        onChange={(event) => onChange(event.target.value)}
        autoComplete="one-time-code"
        autoCapitalize="none"
        maxLength={64}
        required
        autoFocus
        isLarge
        error={isWrong ? 'The code is not right, or was used before.' : undefined}
      />
      {error !== null && !isWrong && refused !== 'signIn.codeRequired' && <ProblemBox error={error} />}
      <Button type="submit" look="primary" size="large" isWide disabled={isPending}>
        Sign in
      </Button>
      <p className="second">
        <button type="button" className="link" onClick={onLeave}>
          Sign in as somebody else
        </button>
      </p>
    </form>
  );
}

const problems: ReadonlyMap<string, string> = new Map([
  ['failed', 'The identity provider did not say who you are. Begin again.'],
  ['unavailable', 'The identity provider is not there. Try again later.'],
  ['notAllowed', 'The identity provider knows you, and nobody lets you in here. Ask an administrator.'],
  ['emailRequired', 'The identity provider tells no confirmed mail address of yours. Confirm it there.'],
]);

/** The ways in by somebody else; none where there are none. */
function Providers({
  providers,
  isOnlyWay,
}: {
  readonly providers: readonly Schemas['SocialIdentity'][];
  readonly isOnlyWay: boolean;
}) {
  const { back } = route.useSearch();
  if (providers.length === 0) return null;
  const look = isOnlyWay && providers.length === 1 ? buttonLook.primary : buttonLook.plain;
  return (
    <nav className={styles['providers']} aria-label="Identity providers">
      {providers.map(({ id, name, color, authorizationEndpoint }) => (
        <a
          key={id}
          className={`${look} ${styles['provider']}`}
          href={`${authorizationEndpoint}${back === undefined ? '' : `?back=${encodeURIComponent(back)}`}`}
        >
          {color !== undefined && (
            <span className={styles['dot']} style={{ background: color }} aria-hidden />
          )}
          <span className={styles['name']} title={name}>
            Continue with {name}
          </span>
        </a>
      ))}
    </nav>
  );
}

const width = 920;
const height = 900;
const stepX = 17;

/** Two lands of dots and the neck between them. */
function Isthmus() {
  const dots = [];
  for (let row = 0; row * stepX < height; row += 1) {
    const y = row * stepX + 10;
    for (let x = row % 2 === 0 ? -10 : -1.5; x < width + stepX; x += stepX) {
      const fromMiddle = Math.abs(x - width / 2) / (width / 2);
      const shore = 44 + 560 * Math.max(0, fromMiddle - 0.16) ** 1.35;
      const isLand = Math.abs(y - height / 2) < shore;
      if (isLand) dots.push({ x, y, isNeck: fromMiddle < 0.2, nearness: 1 - fromMiddle });
    }
  }
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      {dots.map(({ x, y, isNeck, nearness }) => (
        <circle
          key={`${x} ${y}`}
          cx={x}
          cy={y}
          r={isNeck ? 3 : 2}
          className={isNeck ? styles['neck'] : styles['land']}
          opacity={isNeck ? 1 : (0.55 + 0.45 * nearness).toFixed(2)}
        />
      ))}
    </svg>
  );
}
