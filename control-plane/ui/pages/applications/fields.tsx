import type { Schemas } from '../../api/client.ts';
import { AreaField, SelectField, TextField } from '../../kit/field.tsx';

/** What people write of an application. */
export interface Wish {
  readonly name: string;
  readonly description: string;
  readonly domain: string;
  readonly clientId: string;
  readonly keyMode: Schemas['Application']['api_key_mode'];
}

export const blankWish: Wish = {
  name: '',
  description: '',
  domain: '',
  clientId: '',
  keyMode: 'UNSPECIFIED',
};

/** What of an application each field writes, as refusals name it. */
export const places = {
  name: 'name',
  description: 'description',
  domain: 'domain',
  clientId: 'settings.app.client_id',
  keyMode: 'api_key_mode',
} as const;

/** What is wrong, by field. */
export type Faults = Readonly<Partial<Record<keyof Wish, string>>>;

const keyModes = [
  ['UNSPECIFIED', 'Not chosen yet'],
  ['EXCLUSIVE', 'A key for each subscription'],
  ['SHARED', 'One key for all subscriptions'],
] as const;

/** The body in which a wish is written. */
export const bodyOf = ({ name, description, domain, clientId, keyMode }: Wish) => ({
  name,
  description,
  ...(domain.trim() !== '' && { domain: domain.trim() }),
  settings: { app: { ...(clientId.trim() !== '' && { client_id: clientId.trim() }) } },
  api_key_mode: keyMode,
});

/** The fields of an application; of those that are there a key mode was chosen once, and for good. */
export function ApplicationFields({
  wish,
  faults,
  keyModeIs,
  onChange,
}: {
  readonly wish: Wish;
  readonly faults: Faults;
  /** The mode as it is stored. */
  readonly keyModeIs?: Wish['keyMode'];
  readonly onChange: (part: Partial<Wish>) => void;
}) {
  const isChosen = keyModeIs !== undefined && keyModeIs !== 'UNSPECIFIED';
  return (
    <>
      <TextField
        label="Name"
        value={wish.name}
        error={faults.name}
        maxLength={512}
        onChange={({ target: { value } }) => onChange({ name: value })}
        required
        autoFocus={keyModeIs === undefined}
      />
      <AreaField
        label="Description"
        hint="What it does, and for whom"
        isProse
        rows={3}
        value={wish.description}
        error={faults.description}
        onChange={({ target: { value } }) => onChange({ description: value })}
        required
      />
      <TextField
        label="Client id"
        isOptional
        hint="The client that its tokens name: plans with JWT or OAuth2 find its subscriptions by it"
        className="mono"
        value={wish.clientId}
        error={faults.clientId}
        maxLength={256}
        onChange={({ target: { value } }) => onChange({ clientId: value })}
      />
      <SelectField
        label="API keys"
        hint={isChosen ? 'Chosen for good.' : 'Can be chosen once, and not changed afterwards.'}
        value={wish.keyMode}
        error={faults.keyMode}
        disabled={isChosen}
        options={keyModes}
        onChoose={(keyMode) => onChange({ keyMode })}
      />
      <TextField
        label="Domain"
        isOptional
        hint="Where it runs, e.g. shop.example.com"
        value={wish.domain}
        error={faults.domain}
        maxLength={512}
        onChange={({ target: { value } }) => onChange({ domain: value })}
      />
    </>
  );
}

/** What can be said of it before anybody is asked. */
export function faultsOfWish({ name, description }: Wish): Faults {
  return {
    ...(name.trim() === '' && { name: 'must not be empty' }),
    ...(description.trim() === '' && { description: 'must not be empty' }),
  };
}
