import type { ApiDefinition } from '../../../proto/model/api.ts';

/**
 * The rules by which engines of the reference differ, for what reads them: `v3`, which ran APIs of version 2 before emulation, and `v4`.
 *
 * Not copied of v3: that conditions of flows are asked again for the answer, and that policies that change bodies run when the backend's call
 * is open already.
 */
export interface EngineRules {
  /** Answers pass the flows of the API before those of the plan. */
  readonly answersPassApiFirst: boolean;
  /** Which flows of a level a request passes is asked before the first of them runs, else of each when it is reached. */
  readonly choosesByLevel: boolean;
  /** A condition that fails, or of a step comes to nothing, ends the request with 500; else it does not hold. */
  readonly refusesBrokenConditions: boolean;
  /** A header whose value fails is left as it is; else the request ends with 500. */
  readonly leavesBrokenHeaders: boolean;
  /** A step removes headers before it sets any; else what it has set may go again. */
  readonly removesHeadersFirst: boolean;
  /** Answers that are refusals pass the flows of the organization as well. */
  readonly refusalsPassOrganization: boolean;
  /** Whoever is refused loses his connection, for his own request too. */
  readonly closesAfterErrors: boolean;
  /** An error without templates of its own is answered in those of its parent. */
  readonly hasParentTemplates: boolean;
  /** A preflight that is allowed is told the origin that asked, else any unless credentials are. */
  readonly preflightsNameOrigin: boolean;
  /** A preflight that is not allowed is an error with a key; else an empty answer, or what its flows make of 200 where they run. */
  readonly preflightsFailByKey: boolean;
}

const rules: Readonly<Record<'v3' | 'v4', EngineRules>> = {
  v3: {
    answersPassApiFirst: true,
    choosesByLevel: true,
    refusesBrokenConditions: true,
    leavesBrokenHeaders: true,
    removesHeadersFirst: true,
    refusalsPassOrganization: false,
    closesAfterErrors: true,
    hasParentTemplates: false,
    preflightsNameOrigin: false,
    preflightsFailByKey: false,
  },
  v4: {
    answersPassApiFirst: false,
    choosesByLevel: false,
    refusesBrokenConditions: false,
    leavesBrokenHeaders: false,
    removesHeadersFirst: false,
    refusalsPassOrganization: true,
    closesAfterErrors: false,
    hasParentTemplates: true,
    preflightsNameOrigin: true,
    preflightsFailByKey: true,
  },
};

/** The rules of the engine that a definition asks for. */
export function engineOf({ engine }: { readonly engine?: ApiDefinition['engine'] | undefined }): EngineRules {
  return rules[engine ?? 'v4'];
}
