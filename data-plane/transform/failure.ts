/** Why a body cannot be transformed, in words for the record of the request. */
export class TransformFailure extends Error {}
