import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client.ts';
import { useRights } from '../../api/rights.ts';
import { Code } from '../../kit/code.tsx';
import { Copy } from '../../kit/copy.tsx';
import { Panel } from '../../kit/page.tsx';
import { curlOf, urlOf } from '../subscriptions/curl.ts';
import styles from './inside.module.css';
import { exposedOf, pathsOf, plansOf } from './questions.ts';

type Plan = Schemas['PlanV4'];

/** How an API that is in service is called, and where its owner goes from here. */
export function CallIt({ env, of }: { readonly env: string; readonly of: Schemas['ApiV4'] }) {
  const at = { env, id: of.id };
  const { data: exposed } = useQuery(exposedOf(at));
  const { data: plans } = useQuery(plansOf(at));
  const path = pathsOf(of)[0];
  if (path === undefined || exposed === undefined || plans === undefined) return null;
  const open = plans.data.filter(({ status }) => status === 'PUBLISHED');
  // Whoever wants to see an answer takes the way that asks for nothing.
  const plan = open.find(({ security }) => security.type === 'KEY_LESS') ?? open[0];
  const url = exposed[0]?.value;
  return (
    <Panel title="Call it">
      <div className={styles['rows']}>
        {url !== undefined && <Copy text={url} />}
        {plan === undefined ? (
          <p className="second">It has no plan that is published, so that gateways let nobody in.</p>
        ) : (
          <Code label="curl" text={curlOf({ url: urlOf(url, path), security: plan.security })} />
        )}
        {plan !== undefined && <Credential env={env} id={of.id} plan={plan} />}
        {url === undefined && (
          <p className="second">
            <span className="mono">GATEWAY</span> is where your gateways listen, e.g.{' '}
            <span className="mono">http://localhost:8082</span>.
          </p>
        )}
        <Next env={env} id={of.id} hasPlan={plan !== undefined} />
      </div>
    </Panel>
  );
}

/** What stands in the call where its caller has to show something. */
function Credential({ env, id, plan }: { readonly env: string; readonly id: string; readonly plan: Plan }) {
  const subscribe = (
    <Link
      className="link"
      to="/$env/apis/$api/subscriptions"
      params={{ env, api: id }}
      search={{ subscribe: true }}
    >
      Subscribe an application
    </Link>
  );
  const { type } = plan.security;
  if (type === 'KEY_LESS') return null;
  if (type === 'API_KEY')
    return (
      <p className="second">
        <span className="mono">KEY</span> is shown once, to an application that subscribes. {subscribe}
      </p>
    );
  return (
    <p className="second">
      The application that calls has subscribed to {plan.name}. {subscribe}
    </p>
  );
}

/** What is done next with an API that answers. */
function Next({
  env,
  id,
  hasPlan,
}: {
  readonly env: string;
  readonly id: string;
  readonly hasPlan: boolean;
}) {
  const may = useRights({ env, api: id });
  const params = { env, api: id };
  const steps: readonly (readonly [isThere: boolean, link: ReactNode])[] = [
    [
      may('PLAN', 'C'),
      <Link key="plan" className="link" to="/$env/apis/$api/plans/$plan" params={{ ...params, plan: 'new' }}>
        {hasPlan ? 'Add another plan' : 'Add a plan'}
      </Link>,
    ],
    [
      may('GATEWAY_DEFINITION', 'R'),
      <Link key="design" className="link" to="/$env/apis/$api/design" params={params}>
        Add a policy, and try it
      </Link>,
    ],
    [
      may('LOG', 'R'),
      <Link key="logs" className="link" to="/$env/apis/$api/logs" params={params}>
        See its calls
      </Link>,
    ],
  ];
  return (
    <ul className={styles['next']} aria-label="Next">
      {steps.flatMap(([isThere, link], at) => (isThere ? [<li key={at}>{link}</li>] : []))}
    </ul>
  );
}
