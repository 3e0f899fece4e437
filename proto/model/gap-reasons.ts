/** Why records were lost. Apart from the record's schema, so that who only names one loads none. */
export const gapReasons = ['diskFull', 'memoryFull', 'tooLarge', 'deleted', 'damaged', 'unwritten'] as const;
/** See {@link gapReasons}. */
export type GapReason = (typeof gapReasons)[number];
