import { useState } from 'react';
import { CopyVerb } from '../../kit/copy.tsx';
import { type Choosing, ChosenBar, type Together } from '../../kit/choosing.tsx';
import { ToldDialog } from '../../kit/dialog.tsx';
import { now } from '../../kit/now.ts';
import { shortId } from '../../kit/numbers.ts';
import { TogetherDialog } from '../lists/together.tsx';
import styles from './key-once.module.css';
import { type Deed, doWith, type Key, type Side, stateOf, type Subscription } from './side.ts';

type Verb = Deed['verb'];

const words: Readonly<Record<Verb, readonly [verb: string, done: string]>> = {
  accept: ['Accept', 'accepted'],
  reject: ['Reject', 'rejected'],
  pause: ['Pause', 'paused'],
  resume: ['Resume', 'in force again'],
  close: ['Close', 'closed'],
};

/** What it does, behind how many it does it to. */
function effectsOf(side: Side, verb: Verb, rows: readonly Subscription[]): readonly Effect[] {
  const asked = verb === 'close' ? rows.filter(({ status }) => status === 'PENDING').length : 0;
  const effect = effectOf(side, verb, rows.length - asked);
  return [
    ...(effect === undefined || asked === rows.length
      ? []
      : [[String(rows.length - asked), effect] as const]),
    ...(asked === 0 ? [] : [[String(asked), 'not decided yet: nobody is asked any more'] as const]),
  ];
}

type Effect = readonly [figure: string, effect: string];

function effectOf({ of }: Side, verb: Verb, many: number): string | undefined {
  const isOne = many === 1;
  if (verb === 'close') {
    const lost =
      of === 'api'
        ? `${isOne ? 'application loses' : 'applications lose'} access at once`
        : `${isOne ? 'API refuses' : 'APIs refuse'} the application at once`;
    return `${lost}; keys stop working, and none can be restored`;
  }
  if (verb === 'pause')
    return `${isOne ? 'application is refused until it is' : 'applications are refused until they are'} resumed; keys stay`;
  if (verb === 'reject') return 'cannot be accepted later; who asked may subscribe again';
  if (verb === 'accept') return 'may call as soon as gateways have heard of it; keys are shown once';
  return undefined;
}

/** Of an API, what is pending is rejected; an application takes back what it asked for. */
const isOpen = ({ of }: Side, { status }: Subscription): boolean =>
  status === 'ACCEPTED' || status === 'PAUSED' || (of === 'application' && status === 'PENDING');

/** What can be done with several subscriptions of a list: of an application, they can be closed; those who run the API decide. */
export function SubscriptionsTogether({
  side,
  choosing,
}: {
  readonly side: Side;
  readonly choosing: Choosing<Subscription>;
}) {
  const [asked, setAsked] = useState<{ readonly verb: Verb; readonly rows: readonly Subscription[] }>();
  const [made, setMade] = useState<readonly Made[]>([]);
  const deed = (verb: Verb, isFor: (row: Subscription) => boolean): Together<Subscription> => ({
    verb: words[verb][0],
    isFor,
    isDangerous: verb === 'close',
    onDo: (rows) => setAsked({ verb, rows }),
  });
  const decided = [
    deed('accept', ({ status }) => status === 'PENDING'),
    deed('reject', ({ status }) => status === 'PENDING'),
    deed('pause', (row) => stateOf(row, now())[1] === 'Accepted'),
    deed('resume', ({ status }) => status === 'PAUSED'),
  ];
  return (
    <>
      <ChosenBar
        label="subscriptions"
        choosing={choosing}
        deeds={[...(side.of === 'api' ? decided : []), deed('close', (row) => isOpen(side, row))]}
      />
      {asked !== undefined && (
        <Ask
          side={side}
          {...asked}
          choosing={choosing}
          onMade={setMade}
          onClose={() => setAsked(undefined)}
        />
      )}
      <KeysOnce made={made} onClose={() => setMade([])} />
    </>
  );
}

function Ask({
  side,
  verb,
  rows,
  choosing: { chosen, onChoose, nameOf },
  onMade,
  onClose,
}: {
  readonly side: Side;
  readonly verb: Verb;
  readonly rows: readonly Subscription[];
  readonly choosing: Choosing<Subscription>;
  readonly onMade: (made: readonly Made[]) => void;
  readonly onClose: () => void;
}) {
  const effects = effectsOf(side, verb, rows);
  return (
    <TogetherDialog
      rows={rows}
      keyOf={({ id }) => id}
      nameOf={nameOf}
      noun="subscription"
      words={words[verb]}
      effects={effects.length === 0 ? undefined : effects}
      isDangerous={verb === 'close' || verb === 'reject'}
      change={({ id }) => doWith(side, id, { verb })}
      touches={[['subscriptions', side.env], ['tasks']]}
      onDone={(done) => {
        const ids = new Set(done.map(([{ id }]) => id));
        onChoose(new Set([...chosen].filter((id) => !ids.has(id))));
        onMade(
          done.flatMap(([row, answer]) =>
            answer?.apiKey === undefined ? [] : [{ name: nameOf(row), key: answer.apiKey }],
          ),
        );
      }}
      onClose={onClose}
    />
  );
}

interface Made {
  readonly name: string;
  readonly key: Key;
}

/** Keys that were made together: this is the only place that ever shows them. */
function KeysOnce({ made, onClose }: { readonly made: readonly Made[]; readonly onClose: () => void }) {
  const known = made.flatMap(({ name, key }) =>
    key.key === undefined ? [] : [[name, key.key, key.id] as const],
  );
  if (known.length === 0) return null;
  const lines = known.map(([name, key]) => `${name}\t${key}`).join('\n');
  return (
    <ToldDialog
      title={known.length === 1 ? `Key for ${known[0]?.[0] ?? ''}` : `Keys for ${known.length} applications`}
      about="This is the only time that you see them. They work as soon as gateways have heard of them."
      isOpen
      isFirm
      onClose={onClose}
      actions={<CopyVerb verb="Copy all" text={lines} look="primary" />}
    >
      {known.map(([name, key, id]) => (
        <div key={id} className={styles['one']}>
          <span>{name === '' ? shortId(id) : name}</span>
          <output className={`${styles['key']} mono`} aria-label={`Key for ${name}`}>
            {key}
          </output>
        </div>
      ))}
    </ToldDialog>
  );
}
