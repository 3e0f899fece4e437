import { useQuery } from '@tanstack/react-query';
import { Code } from '../../kit/code.tsx';
import { CopyVerb } from '../../kit/copy.tsx';
import { ToldDialog } from '../../kit/dialog.tsx';
import { exposedOf, oneApi, pathsOf, plansOf } from '../apis/questions.ts';
import { curlOf, urlOf } from './curl.ts';
import styles from './key-once.module.css';
import type { Key, Subscription } from './side.ts';

/** A key that was just made: this is the only place that ever shows it. */
export function KeyOnce({
  env,
  subscription,
  apiKey,
  onClose,
}: {
  readonly env: string;
  readonly subscription: Subscription | undefined;
  readonly apiKey: Key | undefined;
  readonly onClose: () => void;
}) {
  const key = apiKey?.key;
  if (subscription === undefined || key === undefined) return null;
  const name = subscription.application.name ?? apiKey?.application.name;
  return (
    <ToldDialog
      title={name === undefined ? 'The key' : `Key for ${name}`}
      about="This is the only time that you see it. It works as soon as gateways have heard of it."
      isOpen
      isFirm
      onClose={onClose}
      actions={<CopyVerb verb="Copy key" text={key} look="primary" />}
    >
      <output className={`${styles['key']} mono`} aria-label="Key">
        {key}
      </output>
      <Curl env={env} subscription={subscription} apiKey={key} />
    </ToldDialog>
  );
}

function Curl({
  env,
  subscription: { api, plan },
  apiKey,
}: {
  readonly env: string;
  readonly subscription: Subscription;
  readonly apiKey: string;
}) {
  const at = { env, id: api.id };
  const { data: of } = useQuery(oneApi(at));
  const { data: plans } = useQuery(plansOf(at));
  const { data: exposed } = useQuery(exposedOf(at));
  const path = of === undefined ? undefined : pathsOf(of)[0];
  if (path === undefined || plans === undefined || exposed === undefined) return null;
  const url = exposed[0]?.value;
  const configuration = plans.data.find(({ id }) => id === plan.id)?.security.configuration;
  const security = { type: 'API_KEY' as const, ...(configuration && { configuration }) };
  return (
    <>
      <Code label="curl" text={curlOf({ url: urlOf(url, path), security, apiKey })} />
      {url === undefined && (
        <p className="second">
          <span className="mono">GATEWAY</span> is where your gateways listen, e.g.{' '}
          <span className="mono">http://localhost:8082</span>.
        </p>
      )}
    </>
  );
}
