import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, ifMatch, organization, taggedAnswerOf } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { demandAsSeen, useWritten } from '../../api/written.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { SwitchField, TextField } from '../../kit/field.tsx';
import { Body, Discard, PageHeader, Panel, SaveBar, Unanswered } from '../../kit/page.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { Empty, Note, ProblemBox } from '../../kit/told.tsx';
import styles from '../account/account.module.css';
import { type Role, type RoleScope, roleScopes, rolesOf, scopeWords, spoken } from './questions.ts';
import { type Held, letters, permitSame, RoleMatrix } from './role-matrix.tsx';
import { RoleUsers } from './role-users.tsx';

const route = getRouteApi('/_org/roles/$scope/$role');
const scopeOf = (text: string): RoleScope | undefined =>
  (Object.keys(scopeWords) as RoleScope[]).find((scope) => scope === text);

/** One role: what it permits, and who holds it. */
export function RolePage() {
  const { scope: text, role: name } = route.useParams();
  const scope = scopeOf(text);
  if (scope === undefined)
    return (
      <Empty title="There is nothing here" isPage>
        Roles are held on nothing of that name.
      </Empty>
    );
  return <Found key={`${scope}/${name}`} scope={scope} name={name} />;
}

function Found({ scope, name }: { readonly scope: RoleScope; readonly name: string }) {
  const { data, error } = useQuery(rolesOf(scope));
  const { data: known, error: unknown } = useQuery(roleScopes);
  const role = data?.find((each) => each.name === name);
  const problem = error ?? unknown;
  if (problem !== null || data === undefined || known === undefined)
    return <Unanswered title="Role" error={problem} />;
  if (role === undefined)
    return (
      <Empty
        title="There is no such role"
        isPage
        action={
          <Link to="/_org/roles" className="link">
            All roles
          </Link>
        }
      >
        It was deleted, or it is held on something else.
      </Empty>
    );
  return <One role={role} scope={scope} names={known[scope] ?? []} />;
}

function One({
  role,
  scope,
  names,
}: {
  readonly role: Role;
  readonly scope: RoleScope;
  readonly names: readonly string[];
}) {
  const may = useOrganizationRights();
  const isReadOnly = role.system || !may('ROLE', 'U');
  const written = useWritten<Role, WishOfRole>(role);
  const { permissions: held, ...about } = { ...wishOf(role), ...written.fields };
  const saving = useChange({
    change: () => saveRole(written.over, written.fields),
    touches: [['roles', scope], ['rights'], ['me']],
    written,
  });
  const isChanged =
    !permitSame(held, role.permissions) ||
    about.description !== (role.description ?? '') ||
    about.isDefault !== role.default;
  return (
    <>
      <Head role={role} scope={scope} />
      <Body>
        {role.system && (
          <Note>
            This role belongs to the system, and nobody changes it. Copy it to make one of your own.
          </Note>
        )}
        {!role.system && isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>ROLE, update</b> on the organization.
          </Note>
        )}
        {!role.system && <About about={about} isReadOnly={isReadOnly} onChange={written.write} />}
        <Panel title="What it permits" isBare>
          <RoleMatrix
            label={`What ${spoken(role.name)} permits`}
            names={names}
            held={held}
            was={role.permissions}
            onChange={isReadOnly ? undefined : (permissions) => written.write({ permissions })}
          />
        </Panel>
        {scope === 'ORGANIZATION' && <RoleUsers role={role.name} />}
        {saving.error !== null && <ProblemBox error={saving.error} />}
        {isChanged && (
          <SaveBar change={saving.change}>
            <Discard {...{ saving, written }} />
            <Button look="primary" disabled={saving.isPending} onClick={() => saving.mutate()}>
              Save role
            </Button>
          </SaveBar>
        )}
      </Body>
    </>
  );
}

function Head({ role, scope }: { readonly role: Role; readonly scope: RoleScope }) {
  const [isAsked, setAsked] = useState(false);
  const may = useOrganizationRights();
  return (
    <>
      <PageHeader
        title={spoken(role.name)}
        status={
          role.default ? (
            <Status tone="ok" isPill>
              Default
            </Status>
          ) : undefined
        }
        sub={
          <>
            <Tag>{scopeWords[scope][0]}</Tag> <Tag>{role.system ? 'System' : 'Your own'}</Tag>
          </>
        }
        actions={
          !role.system &&
          may('ROLE', 'D') && (
            <Button look="quiet" onClick={() => setAsked(true)}>
              Delete role
            </Button>
          )
        }
      />
      {isAsked && <DeleteRole role={role} scope={scope} onClose={() => setAsked(false)} />}
    </>
  );
}

interface AboutRole {
  readonly description: string;
  readonly isDefault: boolean;
}

function About({
  about,
  isReadOnly,
  onChange,
}: {
  readonly about: AboutRole;
  readonly isReadOnly: boolean;
  readonly onChange: (about: Partial<AboutRole>) => void;
}) {
  return (
    <Panel title="What it is">
      <fieldset disabled={isReadOnly} className={styles['rows']}>
        <TextField
          label="Description"
          hint="Whom it is for"
          isOptional
          value={about.description}
          maxLength={4_096}
          onChange={({ target: { value } }) => onChange({ description: value })}
        />
        <SwitchField
          label="Default"
          hint="Whoever is given no other role gets this one, in place of the one that was"
          isOn={about.isDefault}
          onChange={(isDefault) => onChange({ isDefault })}
        />
      </fieldset>
    </Panel>
  );
}

/** What people write of a role. */
interface WishOfRole extends AboutRole {
  readonly permissions: Held;
}

const wishOf = ({ permissions, description = '', default: isDefault }: Role): WishOfRole => ({
  permissions,
  description,
  isDefault,
});

/** Errors: Problem, with status 412 when somebody else wrote the same since it was `seen`. */
async function saveRole(seen: Role, written: Partial<WishOfRole>): Promise<Role> {
  const { scope, name } = seen;
  const path = '/management/organizations/{orgId}/configuration/rolescopes/{scope}/roles/{roleName}';
  const params = { path: { orgId: organization, scope, roleName: name } };
  const { data, tag } = await taggedAnswerOf(api.GET(path, { params }));
  const now = wishOf(data);
  demandAsSeen({ seen: wishOf(seen), now }, written);
  const { permissions: held, description, isDefault } = { ...now, ...written };
  const permissions = Object.fromEntries(
    Object.entries(held).map(([on, has]) => [
      on,
      letters.map(([letter]) => letter).filter((letter) => has.includes(letter)),
    ]),
  );
  return answerOf(
    api.PUT(path, {
      params,
      headers: ifMatch(tag),
      body: { name, description, default: isDefault, permissions },
    }),
  );
}

function DeleteRole({
  role,
  scope,
  onClose,
}: {
  readonly role: Role;
  readonly scope: RoleScope;
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const deleting = useChange({
    change: () =>
      answerOf(
        api.DELETE('/management/organizations/{orgId}/configuration/rolescopes/{scope}/roles/{roleName}', {
          params: { path: { orgId: organization, scope, roleName: role.name } },
        }),
      ),
    touches: [],
    onDone: () => void navigate({ to: '/_org/roles', search: { scope } }),
  });
  return (
    <FormDialog
      title={`Delete ${spoken(role.name)}?`}
      about="Who holds it holds the default role in its place, from the next request on."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete role', mutation: deleting, isDangerous: true }}
    />
  );
}
