import { Link } from '@tanstack/react-router';
import { Problem } from '../../../api/problem.ts';
import { Status } from '../../../kit/status.tsx';
import { ProblemBox } from '../../../kit/told.tsx';
import styles from './draft.module.css';

/** Something that is wrong, and where: `endpointGroups[0].endpoints[0].configuration.target`. */
export interface PlacedFault {
  readonly location: string;
  readonly message: string;
}

/** Which page shows a place of an API, by what its path begins with. */
const pages = [
  [/^listeners\b|^tags\b/, '/$env/apis/$api/entrypoints', 'Entrypoints'],
  [/^(?:endpointGroups|failover)\b/, '/$env/apis/$api/backends', 'Backends'],
  [/^(?:properties|services)\b/, '/$env/apis/$api/properties', 'Properties'],
  [/^resources\b/, '/$env/apis/$api/resources', 'Resources'],
  [/^flows\b/, '/$env/apis/$api/design', 'Design'],
] as const;

/** What is wrong, each with the way to the field. */
export function FaultList({
  env,
  id,
  faults,
}: {
  readonly env: string;
  readonly id: string;
  readonly faults: readonly PlacedFault[];
}) {
  if (faults.length === 0) return null;
  return (
    <ul className={styles['faults']} aria-label="Faults">
      {faults.map(({ location, message }) => {
        const page = pages.find(([pattern]) => pattern.test(location));
        return (
          <li key={`${location} ${message}`}>
            <Status tone="bad">
              <span>
                {page === undefined ? (
                  <span className="mono">{location}</span>
                ) : (
                  <Link
                    className="link mono"
                    to={page[1]}
                    params={{ env, api: id }}
                    search={{ at: location }}
                    title={`Show it under ${page[2]}`}
                  >
                    {location}
                  </Link>
                )}{' '}
                {message}
              </span>
            </Status>
          </li>
        );
      })}
    </ul>
  );
}

/** Why a deployment was refused, each fault with the way to its field. */
export function Refused({
  env,
  id,
  error,
}: {
  readonly env: string;
  readonly id: string;
  readonly error: unknown;
}) {
  const { details } = Problem.of(error);
  return (
    <div className={styles['refused']}>
      <ProblemBox error={error}>
        {details.length > 0 && <FaultList env={env} id={id} faults={details} />}
      </ProblemBox>
    </div>
  );
}
