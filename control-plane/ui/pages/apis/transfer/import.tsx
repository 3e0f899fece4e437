import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Problem } from '../../../api/problem.ts';
import { Button, buttonLook } from '../../../kit/button.tsx';
import { CopyAs } from '../../../kit/copy-as.tsx';
import { Differences } from '../../../kit/differences.tsx';
import { Body, PageHeader, Panel } from '../../../kit/page.tsx';
import { Status } from '../../../kit/status.tsx';
import { ProblemBox } from '../../../kit/told.tsx';
import { Unsaved } from '../../../kit/unsaved.tsx';
import styles from '../inside.module.css';
import { oneApi } from '../questions.ts';
import { type Effect, importAnew, importInto, isThere, noSource, type Source } from './source.ts';
import { SourceFields } from './source-fields.tsx';

const newRoute = getRouteApi('/$env/apis/import');
const intoRoute = getRouteApi('/$env/apis/$api/import');

/** Makes an API out of what comes from elsewhere. */
export function ImportApi() {
  const { env } = newRoute.useParams();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [source, setSource] = useState(noSource);
  const importing = useMutation({
    mutationFn: () => importAnew(env, source),
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries({ queryKey: ['apis', env] });
      await navigate({ to: '/$env/apis/$api', params: { env, api: id } });
    },
  });
  const change = (next: Source): void => {
    importing.reset();
    setSource(next);
  };
  return (
    <>
      <PageHeader title="Import an API" />
      <Body>
        <div className={styles['form']}>
          <p className="second">
            It becomes an API of its own: stopped, with new ids, and in no gateway before you deploy.
          </p>
          <Panel title="What is imported">
            <SourceFields source={source} onChange={change} />
          </Panel>
          <Refusal error={importing.error} />
          {isThere(source) && <Unsaved />}
          <Foot>
            {isThere(source) && <CopyAs change={() => importAnew(env, source)} />}
            <Link className={buttonLook.plain} to="/$env/apis" params={{ env }}>
              Cancel
            </Link>
            <Button
              look="primary"
              disabled={!isThere(source) || importing.isPending}
              onClick={() => importing.mutate()}
            >
              Import API
            </Button>
          </Foot>
        </div>
      </Body>
    </>
  );
}

/** Changes an API by what comes from elsewhere; what that does is shown before it is done. */
export function ImportIntoApi() {
  const { env, api: id } = intoRoute.useParams();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: of } = useQuery(oneApi({ env, id }));
  const [source, setSource] = useState(noSource);
  const comparing = useMutation({ mutationFn: () => importInto({ env, id }, source, true) });
  const importing = useMutation({
    mutationFn: () => importInto({ env, id }, source, false),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['api', env, id] });
      await navigate({ to: '/$env/apis/$api', params: { env, api: id } });
    },
  });
  const change = (next: Source): void => {
    comparing.reset();
    importing.reset();
    setSource(next);
  };
  const effect = comparing.data;
  return (
    <Body>
      <div className={styles['form']}>
        <p className="second">
          What was changed here since the last import stays. Gateways learn of it with the next deployment.
        </p>
        <Panel title={`Import into ${of?.name ?? 'this API'}`}>
          <SourceFields source={source} onChange={change} />
        </Panel>
        <Refusal error={comparing.error ?? importing.error} />
        {effect !== undefined && <Shown effect={effect} />}
        {isThere(source) && <Unsaved />}
        <Foot>
          {isThere(source) && <CopyAs change={() => importInto({ env, id }, source, false)} />}
          <Button
            look={effect === undefined ? 'primary' : 'plain'}
            disabled={!isThere(source) || comparing.isPending}
            onClick={() => comparing.mutate()}
          >
            Compare
          </Button>
          {effect !== undefined && (
            <Button
              look="primary"
              disabled={effect.differences.length === 0 || importing.isPending}
              onClick={() => importing.mutate()}
            >
              Import changes
            </Button>
          )}
        </Foot>
      </div>
    </Body>
  );
}

const Foot = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles['end']}>{children}</div>
);

/** Why it was refused; a text that is no document never went anywhere. */
function Refusal({ error }: { readonly error: unknown }) {
  if (error === null || error === undefined) return null;
  if (error instanceof Problem || !(error instanceof Error)) return <ProblemBox error={error} />;
  return (
    <p role="alert">
      <Status tone="bad">{error.message}</Status>
    </p>
  );
}

function Shown({ effect: { differences, conflicts } }: { readonly effect: Effect }) {
  return (
    <>
      {conflicts.length > 0 && (
        <Panel title={conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`}>
          <ul className={styles['rows']}>
            {conflicts.map(({ path, stands, reason }) => (
              <li key={path}>
                <Status tone={stands === 'ours' ? 'warn' : 'info'}>
                  <span className={styles['said']}>
                    <span className="mono">{path}</span>{' '}
                    {stands === 'ours' ? 'stays as it is here' : 'becomes what is imported'}: {reason}
                  </span>
                </Status>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title={differences.length === 1 ? '1 place changes' : `${differences.length} places change`}>
        {differences.length === 0 ? (
          <p className="second">The API has all of it already.</p>
        ) : (
          <Differences differences={differences} words={['Now', 'Imported']} />
        )}
      </Panel>
    </>
  );
}
