import { Link, useLocation } from '@tanstack/react-router';
import { useHeading } from '../kit/heading.ts';
import { organizationPages, pages } from './pages.ts';
import styles from './shell.module.css';

/** Where the reader is: the page of the side bar, and what of it is open. Nothing on the page where an environment begins. */
export function Crumbs({ env }: { readonly env: string | undefined }) {
  const heading = useHeading();
  const pathname = useLocation({ select: (location) => location.pathname });
  const section = env === undefined ? undefined : sectionAt(pathname, env);
  if (section === undefined) return null;
  return (
    <nav className={styles['crumbs']} aria-label="Where you are">
      <ol>
        {section.isOpen ? (
          <li aria-current="page">{section.name}</li>
        ) : (
          <>
            <li>
              <Link to={section.path} aria-label={`Back to ${section.name}`}>
                {section.name}
              </Link>
            </li>
            {heading !== '' && (
              <li aria-current="page" title={heading}>
                {heading}
              </li>
            )}
          </>
        )}
      </ol>
    </nav>
  );
}

/** The page of the side bar that an address belongs to. */
function sectionAt(pathname: string, env: string) {
  const at = pathname.replace(/\/$/, '');
  const all = [...pages, ...organizationPages].map(({ name, to, isFlat = false }) => ({
    name,
    isFlat,
    path: to.replace('$env', env),
  }));
  const found = all.find(({ path }) => at === path || at.startsWith(`${path}/`));
  return found === undefined || found.path.endsWith('/overview')
    ? undefined
    : { ...found, isOpen: found.isFlat || at === found.path };
}
