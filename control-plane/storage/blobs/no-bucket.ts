/** Whether the store says that there is no such bucket. Apart from s3.ts, which costs whoever needs none the SDK. */
export function isOfNoBucket(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchBucket' || isOfNoBucket(error.cause));
}
