import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { buttonLook, IconButton } from '../../kit/button.tsx';
import { Copy } from '../../kit/copy.tsx';
import { count, shortId, size, worded } from '../../kit/numbers.ts';
import { Facts } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { Time } from '../../kit/time.tsx';
import { type Gateway, seqOf, type Standing, toneOf, wordOf } from './standing.ts';
import styles from './topology.module.css';

/** What is known of one gateway. */
export function Drawer({
  gateway,
  name,
  fleet,
  standing,
  env,
  onClose,
}: {
  readonly gateway: Gateway;
  readonly name: string;
  readonly fleet: string | undefined;
  readonly standing: Standing;
  readonly env: string;
  readonly onClose: () => void;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Who opened it reads on here.
  useEffect(() => heading.current?.focus(), []);
  return (
    <aside
      className={styles['drawer']}
      aria-label={name}
      onKeyDown={({ key }) => key === 'Escape' && onClose()}
    >
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {name}
        </h2>
        <Status tone={toneOf(gateway, standing)} isPill>
          {wordOf(gateway, standing)}
        </Status>
        <IconButton label="Close" onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
        {fleet !== undefined && <p className="second">{fleet}</p>}
        <div className={styles['ways']}>
          <Link
            className={buttonLook.plain}
            to="/$env/gateways/$gateway"
            params={{ env, gateway: gateway.id }}
          >
            All of this gateway
          </Link>
          <Link
            className={buttonLook.quiet}
            to="/$env/logs"
            params={{ env }}
            search={{ gateway: gateway.id }}
          >
            Calls of this gateway
          </Link>
        </div>
      </header>
      <Known gateway={gateway} standing={standing} />
    </aside>
  );
}

function Known({ gateway, standing }: { readonly gateway: Gateway; readonly standing: Standing }) {
  const { counters } = gateway;
  const figure = (key: string): string => worded(count(counters[key]));
  const at = (key: string, time: string | undefined) =>
    time === undefined ? '–' : <Time key={key} at={time} />;
  return (
    <>
      <section>
        <h3>Traffic since its start</h3>
        <dl className={styles['counted']}>
          {(
            [
              ['Requests', 'requests'],
              ['Errors', 'errors'],
              ['Not routed', 'unrouted'],
            ] as const
          ).map(([word, key]) => (
            <div key={key}>
              <dt>{word}</dt>
              <dd>{figure(key)}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section>
        <h3>Changes</h3>
        <Facts
          facts={[
            ['Holds', `change ${seqOf(gateway, standing.environment) ?? '–'} of ${standing.seq}`],
            ['Last seen', at('seen', gateway.lastSeenAt)],
          ]}
        />
      </section>
      <section>
        <h3>Spool</h3>
        <Facts
          facts={[
            ['On disk', worded(size(counters['spoolBytes']))],
            ['Records dropped', figure('droppedRecords')],
          ]}
        />
      </section>
      <section>
        <h3>Identity</h3>
        <Facts
          facts={[
            ['Version', gateway.version],
            ['Started', at('started', gateway.startedAt)],
            ['Enrolled', at('enrolled', gateway.enrolledAt)],
            ['Id', <Copy key="id" text={gateway.id} shown={shortId(gateway.id)} />],
          ]}
        />
      </section>
    </>
  );
}
