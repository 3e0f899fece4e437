import { CONTINUE, type PolicyCall, type PolicyFactory } from '../policy.ts';

/** Most characters of a text of roles that is read. */
const textCharsMax = 65_536;

/** Compares what roles a caller has with those that are asked for. */
export const rbac: PolicyFactory<'rbac'> = ({ roles, strict }, { refuse, host }) => {
  const unknown = refuse('RBAC_NO_USER_ROLE');
  const unreadable = refuse('RBAC_INVALID_USER_ROLES');
  const forbidden = refuse('RBAC_FORBIDDEN');
  const attribute = host.ground.rolesAttribute;
  return {
    request: {
      needs: 'head',
      run({ attributes }: PolicyCall) {
        const said = attributes.get(attribute);
        if (said === undefined || said === null) return unknown;
        const has = rolesOf(said);
        if (has === undefined) return unreadable;
        if (roles.length === 0) return CONTINUE;
        const passes = strict ? roles.every((role) => has.has(role)) : roles.some((role) => has.has(role));
        return passes ? CONTINUE : forbidden;
      },
    },
  };
};

/** Undefined for what is neither a list nor a text. */
function rolesOf(said: unknown): ReadonlySet<unknown> | undefined {
  if (Array.isArray(said)) return new Set(said);
  if (said instanceof Set) return said;
  if (typeof said !== 'string' || said.length > textCharsMax) return undefined;
  return new Set(listOfJson(said) ?? said.split(/[\s,]+/).filter((role) => role !== ''));
}

function listOfJson(text: string): readonly unknown[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
