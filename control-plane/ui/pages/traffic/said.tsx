import type { Schemas } from '../../api/client.ts';
import { Panel } from '../../kit/page.tsx';
import { Code } from '../../kit/code.tsx';
import { type HeaderChange, headerChanges } from './header-changes.ts';
import styles from './traffic.module.css';

type Said = Schemas['ApiLogResponse']['entrypointRequest'];

/** Longest part of a body that is drawn, in characters. */
const bodyCharsMax = 20_000;

/** What one side said, and what the gateway made of it for the other. */
export function Exchanged({
  title,
  before,
  after,
  isRequest = false,
}: {
  readonly title: string;
  readonly before: Said;
  readonly after: Said;
  readonly isRequest?: boolean;
}) {
  const shown = after ?? before;
  if (shown === undefined)
    return (
      <Panel title={title}>
        <p className="second">Nothing of it was logged.</p>
      </Panel>
    );
  const changes = headerChanges((before ?? after)?.headers, (after ?? before)?.headers);
  const bodies = [
    [isRequest ? 'Body from the caller' : 'Body from the backend', before?.body],
    [isRequest ? 'Body to the backend' : 'Body to the caller', after?.body],
  ] as const;
  const isSame = before?.body === after?.body;
  return (
    <Panel title={title}>
      <div className={styles['said']}>
        {shown.uri !== undefined && (
          <p className="mono second">
            {shown.method} {shown.uri}
          </p>
        )}
        {changes.length > 0 && <Headers title={title} changes={changes} />}
        {bodies
          .filter(([, body], at) => body !== undefined && body !== '' && !(at === 0 && isSame))
          .map(([label, body = '']) => (
            <Code
              key={label}
              label={label}
              text={body.length > bodyCharsMax ? `${body.slice(0, bodyCharsMax)}\n…` : body}
            />
          ))}
      </div>
    </Panel>
  );
}

const words: Readonly<Record<HeaderChange['kind'], string>> = {
  added: 'Added: ',
  changed: 'Changed: ',
  removed: 'Taken away: ',
  same: '',
};

const Headers = ({
  title,
  changes,
}: {
  readonly title: string;
  readonly changes: readonly HeaderChange[];
}) => (
  <table className={styles['headers']} aria-label={`Headers of the ${title.toLowerCase()}`}>
    <tbody>
      {changes.map(({ name, kind, before, after }) => (
        <tr key={name} data-kind={kind}>
          <th scope="row" className="mono">
            {kind !== 'same' && <span className="hidden">{words[kind]}</span>}
            <span aria-hidden>{{ added: '+ ', changed: '~ ', removed: '− ', same: '' }[kind]}</span>
            {name}
          </th>
          <td className="mono">
            {kind !== 'added' && kind !== 'same' && <del>{before}</del>}
            {kind !== 'removed' && after}
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);
