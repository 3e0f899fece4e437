import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import {
  Bell,
  ChevronsUpDown,
  CircleQuestionMark,
  Menu as MenuIcon,
  Moon,
  PanelLeft,
  Search,
  Sun,
} from 'lucide-react';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { environmentOf, environments, ownOrganization, signOut, whoAmI } from '../api/session.ts';
import { IconButton } from '../kit/button.tsx';
import { toldCount } from '../api/notifications.ts';
import { useTaskCount } from '../api/tasks.ts';
import { Menu } from '../kit/menu.tsx';
import { Toasts } from '../kit/toast.tsx';
import { Crumbs } from './crumbs.tsx';
import { isProduction } from './environment.ts';
import { Keys } from './keys.tsx';
import { LeaveGuard } from './leave-guard.tsx';
import { Mark } from './mark.tsx';
import { useOrganizationRights, useRights } from '../api/rights.ts';
import { organizationPages, pages } from './pages.ts';
import { SessionGuard } from './session-guard.tsx';
import styles from './shell.module.css';
import { useFolded, useLooks, useTheme } from './theme.ts';

const route = getRouteApi('/$env');

/** What stands around every page of an environment. */
export function Shell() {
  const { env } = route.useParams();
  const shown = environmentOf(useQuery(environments).data?.data, env);
  // Where a page needs all of the width, the side bar shows pictures alone.
  const isWide = useLocation({
    select: ({ pathname }) => /\/apis\/[^/]+\/design$|\/topology$/.test(pathname),
  });
  return (
    <Frame
      env={env}
      isWide={isWide}
      isMarked={shown !== undefined && isProduction(shown)}
      switcher={<Environments env={env} />}
      links={(onClick) => <EnvironmentLinks env={env} onClick={onClick} />}
    />
  );
}

/** What stands around pages of the organization, and of the reader's own account. */
export function OrganizationShell() {
  const { data } = useQuery(environments);
  const isWide = useLocation({ select: ({ pathname }) => pathname.endsWith('/policies') });
  const first = data?.data[0];
  return (
    <Frame
      env={first?.hrids[0] ?? first?.id}
      isWide={isWide}
      switcher={<Environments env={undefined} />}
      links={(onClick) => <OrganizationLinks onClick={onClick} />}
    />
  );
}

function Frame({
  env,
  isWide = false,
  isMarked = false,
  switcher,
  links,
}: {
  /** Where what is searched for lies. */
  readonly env: string | undefined;
  readonly isWide?: boolean;
  /** What is done here is done to production: a line says so on every page. */
  readonly isMarked?: boolean;
  readonly switcher: ReactNode;
  readonly links: (onClick: () => void) => ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const [areKeysShown, setKeysShown] = useState(false);
  const [isFolded, fold] = useFolded(isWide);
  useLooks();
  return (
    <>
      <a className={styles['skip']} href="#main">
        Skip to content
      </a>
      <div className={styles['app']} data-folded={isFolded || undefined}>
        <TopBar
          env={env}
          isMarked={isMarked}
          switcher={switcher}
          onMenu={() => setOpen(!isOpen)}
          isMenuOpen={isOpen}
          onKeys={() => setKeysShown(true)}
        />
        <nav className={styles['side']} aria-label="Pages" data-open={isOpen || undefined}>
          {links(() => setOpen(false))}
          <div className={styles['foot']}>
            <a href="/management">Management API</a>
            <span className="num">Isthmus {String(import.meta.env.VITE_ISTHMUS_VERSION)}</span>
            <IconButton
              label={isFolded ? 'Unfold the side bar' : 'Fold the side bar'}
              aria-expanded={!isFolded}
              onClick={() => fold(!isFolded)}
            >
              <PanelLeft size={16} aria-hidden />
            </IconButton>
          </div>
        </nav>
        <main id="main" className={styles['main']} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <LeaveGuard />
      <SessionGuard />
      <Keys isOpen={areKeysShown} onOpen={setKeysShown} />
      <Toasts />
    </>
  );
}

function TopBar({
  env,
  isMarked,
  switcher,
  onMenu,
  isMenuOpen,
  onKeys,
}: {
  readonly env: string | undefined;
  readonly isMarked: boolean;
  readonly switcher: ReactNode;
  readonly onMenu: () => void;
  readonly isMenuOpen: boolean;
  readonly onKeys: () => void;
}) {
  const [theme, toggle] = useTheme();
  const { data: own } = useQuery(ownOrganization);
  return (
    <header className={styles['top']} data-production={isMarked || undefined}>
      <div className={styles['menu']}>
        <IconButton label="Menu" aria-expanded={isMenuOpen} onClick={onMenu}>
          <MenuIcon size={16} aria-hidden />
        </IconButton>
      </div>
      <Link to="/" className={styles['mark']} aria-label="Isthmus">
        <Mark />
      </Link>
      <span className={styles['org']}>{own?.name}</span>
      <span className={styles['sep']} aria-hidden>
        /
      </span>
      {switcher}
      <Crumbs env={env} />
      <span className={styles['grow']} />
      {env !== undefined && <Seek env={env} />}
      <IconButton label={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'} onClick={toggle}>
        {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
      </IconButton>
      <Told />
      <span className={styles['help']}>
        <IconButton label="Keys" aria-haspopup="dialog" onClick={onKeys}>
          <CircleQuestionMark size={16} aria-hidden />
        </IconButton>
      </span>
      <Person />
    </header>
  );
}

/** How much the reader was told, and the way there. */
function Told() {
  const { data: count = 0 } = useQuery(toldCount);
  const label = count === 0 ? 'Notifications' : `Notifications: ${count}`;
  return (
    <Link to="/_org/notifications" className={styles['bell']} aria-label={label} title={label}>
      <Bell size={16} aria-hidden />
      {count > 0 && <b aria-hidden>{count > 99 ? '99+' : count}</b>}
    </Link>
  );
}

/** Opens the palette, by click or Ctrl-K. */
function Seek({ env }: { readonly env: string }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return (
    <>
      <button type="button" className={styles['seek']} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Search size={14} aria-hidden />
        <span>Search, or paste the id of a call</span>
        <kbd aria-hidden>{isApple ? '⌘ K' : 'Ctrl K'}</kbd>
      </button>
      {isOpen && (
        <Suspense>
          <GoTo env={env} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
// What nobody opens is not loaded.
const GoTo = lazy(async () => ({ default: (await import('./palette.tsx')).GoTo }));

/** Which environment is shown; undefined for the organization, which stands above them. */
function Environments({ env }: { readonly env: string | undefined }) {
  const navigate = useNavigate();
  const { data } = useQuery(environments);
  const all = data?.data ?? [];
  const shown = env === undefined ? undefined : environmentOf(all, env);
  const name = env === undefined ? 'Organization' : (shown?.name ?? env);
  return (
    <Menu
      trigger={
        <button
          type="button"
          className={styles['env']}
          aria-label={env === undefined ? name : `Environment: ${name}`}
        >
          {env !== undefined && <i aria-hidden />}
          <span>{name}</span>
          <ChevronsUpDown size={14} aria-hidden />
        </button>
      }
      items={[
        ...all.map(({ id, name: label, hrids }) => ({
          id,
          label,
          onChoose: () => void navigate({ to: '/$env/overview', params: { env: hrids[0] ?? id } }),
        })),
        {
          id: 'organization',
          label: 'Organization settings',
          onChoose: () => void navigate({ to: '/_org' }),
        },
      ]}
    />
  );
}

function Person() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(whoAmI);
  const name = me?.displayName ?? '';
  const leave = async (): Promise<void> => {
    await signOut(queries);
    await navigate({ to: '/sign-in' });
  };
  return (
    <Menu
      trigger={
        <button type="button" className={styles['person']}>
          <span className="hidden">Signed in as {name}</span>
          <span aria-hidden>{initialsOf(name)}</span>
        </button>
      }
      head={
        <>
          <b>{name}</b>
          {me?.username}
        </>
      }
      items={[
        { id: 'account', label: 'Your account', onChoose: () => void navigate({ to: '/_org/account' }) },
        {
          id: 'organization',
          label: 'Organization settings',
          onChoose: () => void navigate({ to: '/_org' }),
        },
        { id: 'sign-out', label: 'Sign out', onChoose: () => void leave() },
      ]}
    />
  );
}

const initialsOf = (name: string): string =>
  name
    .split(/[\s._-]+/)
    .map((word) => word.slice(0, 1).toUpperCase())
    .join('')
    .slice(0, 2);

function EnvironmentLinks({ env, onClick }: { readonly env: string; readonly onClick: () => void }) {
  const may = useRights({ env });
  const tasks = useTaskCount(env);
  const shown = pages.filter(({ right }) => right === undefined || may(right, 'R'));
  return shown.map(({ group, name, to, Icon }, at) => [
    group === '' || group === shown[at - 1]?.group ? undefined : <h2 key={group}>{group}</h2>,
    <Link key={to} to={to} params={{ env }} onClick={onClick}>
      <Icon size={16} aria-hidden />
      <span>{name}</span>
      {to === '/$env/tasks' && tasks > 0 && <b className={styles['badge']}>{tasks}</b>}
    </Link>,
  ]);
}

function OrganizationLinks({ onClick }: { readonly onClick: () => void }) {
  const may = useOrganizationRights();
  const shown = organizationPages.filter(({ right }) => right === undefined || may(right, 'R'));
  return shown.map(({ group, name, to, Icon }, at) => [
    group === '' || group === shown[at - 1]?.group ? undefined : <h2 key={group}>{group}</h2>,
    <Link key={to} to={to} onClick={onClick}>
      <Icon size={16} aria-hidden />
      <span>{name}</span>
    </Link>,
  ]);
}
