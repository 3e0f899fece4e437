import encodeQr from 'qr';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { CopyVerb } from '../../kit/copy.tsx';
import { FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { TextField } from '../../kit/field.tsx';
import styles from './account.module.css';

const params = { path: { orgId: organization } };
const path = '/management/organizations/{orgId}/user/secondFactor';

/** From a password to an authenticator app: who it is, the app's secret with its first code, and the recovery codes. */
export function SetUp({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const [enrolment, setEnrolment] = useState<Schemas['SecondFactorEnrolment']>();
  const [codes, setCodes] = useState<readonly string[]>();
  if (codes !== undefined) return <RecoveryCodes codes={codes} onClose={onDone} />;
  if (enrolment === undefined) return <Begin onClose={onClose} onBegun={setEnrolment} />;
  return <FirstCode enrolment={enrolment} onClose={onClose} onConfirmed={setCodes} />;
}

function Begin({
  onClose,
  onBegun,
}: {
  readonly onClose: () => void;
  readonly onBegun: (enrolment: Schemas['SecondFactorEnrolment']) => void;
}) {
  const [password, setPassword] = useState('');
  const beginning = useChange({
    change: () => answerOf(api.POST(`${path}/_enrol`, { params, body: { currentPassword: password } })),
    touches: [],
    onDone: onBegun,
  });
  return (
    <FormDialog
      title="Set up a second factor"
      about="Beside your password a code of an authenticator app is asked for then."
      isOpen
      onClose={onClose}
      submit={{ isSecret: true, verb: 'Continue', mutation: beginning, isReady: password !== '', others: [] }}
    >
      <PasswordField value={password} error={beginning.error} onChange={setPassword} />
    </FormDialog>
  );
}

function FirstCode({
  enrolment: { uri, secret },
  onClose,
  onConfirmed,
}: {
  readonly enrolment: Schemas['SecondFactorEnrolment'];
  readonly onClose: () => void;
  readonly onConfirmed: (codes: readonly string[]) => void;
}) {
  const [code, setCode] = useState('');
  const confirming = useChange({
    change: () => answerOf(api.POST(`${path}/_confirm`, { params, body: { code } })),
    touches: [['second-factor'], ['sessions']],
    onDone: ({ recoveryCodes }) => onConfirmed(recoveryCodes),
  });
  return (
    <FormDialog
      title="Scan it with your app"
      about="Your other sessions end with the first code; tokens go on."
      isOpen
      onClose={onClose}
      submit={{
        isSecret: true,
        verb: 'Turn on',
        mutation: confirming,
        isReady: code.trim() !== '',
        others: [],
      }}
    >
      <div className={styles['scan']}>
        <QrCode text={uri} label="What the app scans" />
        <div className={styles['rows']}>
          <p className="second">No camera? Type this into the app:</p>
          <output className={`${styles['secret']} mono`} aria-label="Secret">
            {secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}
          </output>
          <div>
            <CopyVerb verb="Copy secret" text={secret} />
          </div>
        </div>
      </div>
      <CodeField
        hint="Six digits, which the app shows now"
        value={code}
        error={confirming.error}
        onChange={setCode}
      />
    </FormDialog>
  );
}

/** Codes that were just made: this is the only place that ever shows them. */
export function RecoveryCodes({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}) {
  return (
    <ToldDialog
      title="Recovery codes"
      about="Each stands in for a code of the app once. Keep them where you keep passwords: this is the only time that you see them."
      isOpen
      isFirm
      onClose={onClose}
      done="I have kept them"
      actions={<CopyVerb verb="Copy all" text={codes.join('\n')} look="primary" />}
    >
      <ul className={`${styles['codes']} mono`} aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
    </ToldDialog>
  );
}

interface Proof {
  readonly value: string;
  readonly error: Error | null;
  readonly onChange: (value: string) => void;
}

export const PasswordField = ({ value, error, onChange }: Proof) => (
  <TextField
    label="Your password"
    type="password"
    autoComplete="current-password"
    autoFocus
    maxLength={1_024}
    value={value}
    error={Problem.at(error, 'currentPassword')}
    onChange={({ target }) => onChange(target.value)}
  />
);

export const CodeField = ({ value, error, onChange, hint }: Proof & { readonly hint: string }) => (
  <TextField
    label="Code"
    hint={hint}
    autoComplete="one-time-code"
    autoCapitalize="none"
    maxLength={64}
    value={value}
    error={Problem.at(error, 'code')}
    onChange={({ target }) => onChange(target.value)}
  />
);

/** Dark on light, with the quiet zone that cameras need, in every theme. */
function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const rows = encodeQr(text, 'raw', { border: 4, ecc: 'medium' });
  const dots = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg
      className={styles['qr']}
      viewBox={`0 0 ${rows.length} ${rows.length}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <path d={dots.join('')} />
    </svg>
  );
}
