import { useNavigate } from '@tanstack/react-router';
import { api, answerOf } from '../../api/client.ts';
import { useCreation } from '../../api/creation.ts';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';

type Security = 'KEY_LESS' | 'API_KEY';
const securities: readonly (readonly [Security, string])[] = [
  ['API_KEY', 'API key: callers subscribe and send a key'],
  ['KEY_LESS', 'Keyless: everybody may call it'],
];

interface Wish {
  readonly name: string;
  readonly version: string;
  /** Follows the name until somebody writes another. */
  readonly path?: string;
  readonly target: string;
  readonly security: Security;
  /** Most calls a minute of one caller; as it was typed, empty for no limit. */
  readonly limit: string;
}

const blank: Wish = { name: '', version: '1.0', target: '', security: 'API_KEY', limit: '' };

/** Makes an API with a first plan; it is called once it is deployed. */
export function CreateApi({
  env,
  isOpen,
  onClose,
}: {
  readonly env: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const { wish, change, faults, close, submit } = useCreation({
    blank,
    faultsOf,
    places,
    create: (written, key) => create(env, written, key),
    touches: [['apis', env]],
    onMade: (id) => void navigate({ to: '/$env/apis/$api', params: { env, api: id } }),
    onClose,
  });
  return (
    <FormDialog
      title="Create API"
      about="A proxy in front of a backend over HTTP. Nothing reaches gateways before you deploy."
      isOpen={isOpen}
      onClose={close}
      submit={{ verb: 'Create API', ...submit }}
    >
      <Fields wish={wish} onChange={change} faults={faults} />
    </FormDialog>
  );
}

function Fields({
  wish,
  onChange,
  faults,
}: {
  readonly wish: Wish;
  readonly onChange: (part: Partial<Wish>) => void;
  readonly faults: Faults;
}) {
  const { name, version, path, target, security, limit } = wish;
  return (
    <>
      <TextField
        label="Name"
        error={faults.name}
        value={name}
        onChange={(event) => onChange({ name: event.target.value })}
        required
        autoFocus
      />
      <TextField
        label="Version"
        error={faults.version}
        value={version}
        onChange={(event) => onChange({ version: event.target.value })}
        required
      />
      <TextField
        label="Path"
        hint="Where callers arrive at the gateway, e.g. /rates/v3"
        error={faults.path}
        value={path ?? pathOfName(name)}
        onChange={(event) => onChange({ path: event.target.value })}
        required
      />
      <TextField
        label="Backend"
        hint="The URL that answers, e.g. https://rates.internal:8443/v3"
        error={faults.target}
        type="url"
        value={target}
        onChange={(event) => onChange({ target: event.target.value })}
        required
      />
      <SelectField
        label="Who may call it"
        value={security}
        onChoose={(chosen) => onChange({ security: chosen })}
        options={securities}
      />
      <TextField
        label="Calls a minute"
        hint="How many each caller may make; the rest is refused. Empty for no limit"
        error={faults.limit}
        inputMode="numeric"
        value={limit}
        onChange={(event) => onChange({ limit: event.target.value })}
        isOptional
      />
    </>
  );
}

/** What of an API each field writes. */
const places = {
  name: 'name',
  version: 'apiVersion',
  path: 'listeners',
  target: 'endpointGroups',
  limit: 'flows',
} as const;

type Faults = Readonly<Partial<Record<keyof typeof places, string>>>;

/** What can be said of it before anybody is asked. */
function faultsOf(wish: Wish): Faults {
  const all = {
    name: wish.name.trim() === '' ? 'must not be empty' : undefined,
    version: wish.version.trim() === '' ? 'must not be empty' : undefined,
    path: faultOfPath(wish),
    target: faultOfTarget(wish.target),
    limit: /^(?:[1-9]\d{0,5})?$/.test(wish.limit.trim())
      ? undefined
      : 'must be a whole number from 1 to 999999',
  };
  return Object.fromEntries(Object.entries(all).filter(([, fault]) => fault !== undefined));
}

/** A path is asked for where the name has no letter that one may have: the root would take every call. */
const faultOfPath = ({ name, path }: Wish): string | undefined =>
  (path ?? pathOfName(name)) === '' && name.trim() !== ''
    ? 'must be chosen: of the name, nothing may stand in a path'
    : undefined;

/** What a deployment would say of a backend. */
function faultOfTarget(target: string): string | undefined {
  // What becomes of an expression is known to gateways alone.
  if (/\{ *(?:#|\(|T\()/.test(target)) return undefined;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  const isPlain = url !== undefined && url.username === '' && url.password === '' && url.hash === '';
  return isPlain && /^(?:https?|grpcs?):$/.test(url.protocol) && url.host !== ''
    ? undefined
    : 'must be an http://, https://, grpc:// or grpcs:// URL without user information and fragment';
}

/** Letters that are no letter and mark, so that normalizing leaves them whole. */
const plainLetters: ReadonlyMap<string, string> = new Map([
  ['ł', 'l'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
]);

/** `Shipment tracking` becomes `/shipment-tracking`; empty where no letter of it may stand in a path. */
function pathOfName(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[łøđßæœ]/g, (letter) => plainLetters.get(letter) ?? letter)
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return words === '' ? '' : `/${words}`;
}

/** Sent again under its key, it goes on where it was broken off: an API that is there already gets its plan. */
async function create(
  env: string,
  { name, version, path, target, security, limit }: Wish,
  key: string,
): Promise<string> {
  const made = await answerOf(
    api.POST('/management/v2/environments/{envId}/apis', {
      params: { path: { envId: env }, header: { 'Idempotency-Key': key } },
      body: {
        name,
        apiVersion: version,
        definitionVersion: 'V4',
        type: 'PROXY',
        listeners: [
          {
            type: 'HTTP',
            paths: [{ path: path ?? pathOfName(name) }],
            entrypoints: [{ type: 'http-proxy' }],
          },
        ],
        endpointGroups: [
          {
            name: 'default',
            type: 'http-proxy',
            endpoints: [{ name: 'default', type: 'http-proxy', configuration: { target } }],
          },
        ],
      },
    }),
  );
  await answerOf(
    api.POST('/management/v2/environments/{envId}/apis/{apiId}/plans', {
      params: { path: { envId: env, apiId: made.id }, header: { 'Idempotency-Key': `${key}-plan` } },
      body: {
        definitionVersion: 'V4',
        name: security === 'KEY_LESS' ? 'Open' : 'Keys',
        validation: 'AUTO',
        status: 'PUBLISHED',
        mode: 'STANDARD',
        security: { type: security },
        ...(limit.trim() !== '' && { flows: [limitOf(Number(limit))] }),
      },
    }),
  );
  return made.id;
}

/** A flow of a plan that lets so many calls of each caller pass in a minute. */
const limitOf = (limit: number) => ({
  name: 'Limit',
  enabled: true,
  selectors: [{ type: 'HTTP' as const, path: '/', pathOperator: 'STARTS_WITH' as const }],
  request: [
    {
      name: 'Rate limit',
      policy: 'rate-limit',
      enabled: true,
      configuration: { addHeaders: true, rate: { limit, periodTime: 1, periodTimeUnit: 'MINUTES' } },
    },
  ],
});
